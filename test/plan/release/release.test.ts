import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { byNeeds } from "../../../plan/config/needs";
import type { Config } from "../../../plan/config/schema";
import type { Facts } from "../../../plan/found/facts";
import { change, LEAST, problemsOf, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import {
  containersOf,
  EMPTY_HOST,
  hostAfter,
  planned,
  type Planned,
  verbs,
  withStates,
} from "../support/stack";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const SMOKED: Values = { ...SHOP, smoke: [{ path: "/" }] };

const serving = planned(read(SMOKED));
const host = hostAfter(serving);
/** MiB that are free beside the 568 MiB of SMOKED. */
const hostWith = (free: number): Facts =>
  hostAfter(serving, { total: (300 + 568 + free) * 1024, used: 300 * 1024, ours: 0 });

type Edit = readonly [path: string, value: unknown];
const edited = (...edits: Edit[]): Values =>
  edits.reduce<Values>((values, [path, value]) => change(values, path, value), SMOKED);
const BACKEND: Edit = ["services.backend.image", "backend:2"];
const FRONTEND: Edit = ["services.frontend.image", "frontend:2"];
const WORKER: Edit = ["services.worker.image", "worker:2"];
const DATABASE: Edit = ["database.memory", 220];
const PROXY: Edit = ["proxy.image", "nginx:1.29-bookworm"];

describe("a release, by what is found on the host (' is a new container)", () => {
  it.each<[situation: string, edits: Edit[], facts: Facts, steps: string[]]>([
    [
      "the first one",
      [],
      EMPTY_HOST,
      [
        "site nginx has the site's configuration",
        "start proxy'",
        "healthy proxy'",
        "start database'",
        "healthy database'",
        "password database'",
        "migrate backend-migrate'",
        "start backend'",
        "start frontend'",
        "healthy backend'",
        "stage backend can be reached",
        "start worker'",
        "healthy frontend'",
        "stage frontend can be reached",
        "healthy worker'",
        "smoke candidate",
        "smoke live",
        "observe 1",
        "record",
        "sweep",
      ],
    ],
    ["nothing changed (it does not even run: see the epoch)", [], host, ["smoke live", "record", "sweep"]],
    [
      "one service changed",
      [FRONTEND],
      host,
      [
        "start frontend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain frontend",
        "stop frontend",
        "remove frontend",
        "sweep",
      ],
    ],
    [
      "two changed: all are healthy before any is switched",
      [BACKEND, FRONTEND],
      host,
      [
        "migrate backend-migrate'",
        "start backend'",
        "start frontend'",
        "healthy backend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain backend",
        "stop backend",
        "remove backend",
        "drain frontend",
        "stop frontend",
        "remove frontend",
        "sweep",
      ],
    ],
    [
      "too little memory to run both: stop first, and requests wait",
      [FRONTEND],
      hostWith(95),
      [
        "hold requests to frontend wait",
        "drain frontend",
        "shelter frontend",
        "stop frontend",
        "start frontend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "smoke candidate",
        "promote frontend'",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "remove frontend",
        "sweep",
      ],
    ],
    [
      "memory for one of two: the other goes second",
      [BACKEND, FRONTEND],
      hostWith(96),
      [
        "migrate backend-migrate'",
        "start frontend'",
        "healthy frontend'",
        "hold requests to backend wait",
        "drain backend",
        "shelter backend",
        "stop backend",
        "start backend'",
        "healthy backend'",
        "promote backend'",
        // Another service needs it: it may not wait for the end.
        "route requests to backend go on",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain frontend",
        "stop frontend",
        "remove frontend",
        "remove backend",
        "sweep",
      ],
    ],
    [
      "stop-first as configured",
      [FRONTEND, ["services.frontend.order", "stop-first"]],
      host,
      [
        "hold requests to frontend wait",
        "drain frontend",
        "shelter frontend",
        "stop frontend",
        "start frontend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "smoke candidate",
        "promote frontend'",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "remove frontend",
        "sweep",
      ],
    ],
    [
      "a worker changed: nothing to route",
      [WORKER],
      host,
      [
        "start worker'",
        "healthy worker'",
        "smoke candidate",
        "smoke live",
        "observe 1",
        "record",
        "drain worker",
        "stop worker",
        "remove worker",
        "sweep",
      ],
    ],
    [
      "a worker that alone may write to its volume",
      [["services.worker.volumes", [{ name: "queue", path: "/q" }]]],
      host,
      [
        "drain worker",
        "shelter worker",
        "stop worker",
        "start worker'",
        "healthy worker'",
        "smoke candidate",
        "promote worker'",
        "smoke live",
        "observe 1",
        "record",
        "remove worker",
        "sweep",
      ],
    ],
    [
      "a volume that both may write to",
      [["services.worker.volumes", [{ name: "queue", path: "/q", shareable: true }]]],
      host,
      [
        "start worker'",
        "healthy worker'",
        "smoke candidate",
        "smoke live",
        "observe 1",
        "record",
        "drain worker",
        "stop worker",
        "remove worker",
        "sweep",
      ],
    ],
    [
      "the database changed: requests wait until those who stay have found it again",
      [DATABASE],
      host,
      [
        "backup database",
        "shelter database",
        "hold requests wait for the database",
        "drain backend",
        "stop database",
        "start database'",
        "healthy database'",
        "password database'",
        "healthy backend",
        "route requests go on",
        "promote database'",
        "smoke live",
        "record",
        "remove database",
        "sweep",
      ],
    ],
    [
      "the proxy changed: its port is bound by one at a time",
      [PROXY],
      host,
      [
        "rehearse proxy'",
        "shelter proxy",
        "stop proxy",
        "start proxy'",
        "healthy proxy'",
        "promote proxy'",
        "smoke live",
        "record",
        "remove proxy",
        "sweep",
      ],
    ],
    [
      "the site changed: nginx loads it, and it is tried",
      [["domain", "example.com"]],
      host,
      ["site nginx has the site's configuration", "smoke candidate", "smoke live", "record", "sweep"],
    ],
    ["the smoke tests changed", [["smoke", [{ path: "/x" }]]], host, ["smoke live", "record", "sweep"]],
    [
      "a migration changed, its service did not",
      [["services.backend.migrate", ["up", "--all"]]],
      host,
      ["migrate backend-migrate'", "smoke live", "record", "sweep"],
    ],
    [
      "a service changed, its migration did not: it has run",
      [["services.backend.health", "/ready"]],
      host,
      [
        "start backend'",
        "healthy backend'",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain backend",
        "stop backend",
        "remove backend",
        "sweep",
      ],
    ],
    [
      "a service added",
      [["services.shop", { image: "shop:1", port: 3002, route: "/shop/", health: "/h", memory: 32 }]],
      host,
      [
        "start shop'",
        "healthy shop'",
        "stage shop can be reached",
        "site nginx has the site's configuration",
        "smoke candidate",
        "smoke live",
        "observe 1",
        "record",
        "sweep",
      ],
    ],
    [
      "a service added that another one needs (the proxy carries its name)",
      [
        ["services.shop", { image: "shop:1", port: 3002, health: "/h", memory: 32 }],
        ["services.worker.needs", ["backend", "shop"]],
      ],
      host,
      [
        "rehearse proxy'",
        "shelter proxy",
        "stop proxy",
        "site nginx has the site's configuration",
        "start proxy'",
        "healthy proxy'",
        "promote proxy'",
        "start shop'",
        "healthy shop'",
        "stage shop can be reached",
        "smoke candidate",
        "smoke live",
        "observe 1",
        "record",
        "remove proxy",
        "sweep",
      ],
    ],
    [
      "a worker removed: it works until the release is recorded",
      [["services.worker", undefined]],
      host,
      ["smoke live", "record", "drain worker", "stop worker", "remove worker", "sweep"],
    ],
    [
      "a service and the database removed",
      [
        ["services.backend", undefined],
        ["services.worker", undefined],
        ["database", undefined],
      ],
      host,
      [
        "stage the new release can be tried",
        "site nginx has the site's configuration",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "record",
        "drain database",
        "stop database",
        "remove database",
        "drain backend",
        "stop backend",
        "remove backend",
        "drain worker",
        "stop worker",
        "remove worker",
        "sweep",
      ],
    ],
    [
      "a service stopped by hand",
      [],
      withStates(host, { frontend: "exited" }),
      ["start frontend", "healthy frontend", "smoke candidate", "smoke live", "observe 1", "record", "sweep"],
    ],
    [
      "a service removed by hand",
      [],
      withStates(host, { frontend: undefined }),
      ["start frontend", "healthy frontend", "smoke candidate", "smoke live", "observe 1", "record", "sweep"],
    ],
    [
      "database and proxy stopped by hand: the proxy comes first, health is asked from inside it",
      [],
      withStates(host, { database: "exited", proxy: "exited" }),
      [
        "site nginx has the site's configuration",
        "start proxy",
        "healthy proxy",
        "start database",
        "healthy database",
        "password database",
        "smoke live",
        "record",
        "sweep",
      ],
    ],
    [
      "the database's password changed: the old backend goes on with its own until the new one has taken over",
      [["database.passwordVersion", 2]],
      host,
      [
        "backup database",
        "shelter database",
        "hold requests wait for the database",
        "drain backend",
        "stop database",
        "start database'",
        "healthy database'",
        "password database'",
        "rejoin backend",
        "route requests go on",
        "promote database'",
        "migrate backend-migrate'",
        "start backend'",
        "healthy backend'",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain backend",
        "stop backend",
        "remove backend",
        "remove database",
        "sweep",
      ],
    ],
    [
      "the database changed while the proxy was stopped",
      [DATABASE],
      withStates(host, { proxy: undefined }),
      [
        "site nginx has the site's configuration",
        "start proxy",
        "healthy proxy",
        "backup database",
        "shelter database",
        "hold requests wait for the database",
        "drain backend",
        "stop database",
        "start database'",
        "healthy database'",
        "password database'",
        "healthy backend",
        "route requests go on",
        "promote database'",
        "smoke live",
        "record",
        "remove database",
        "sweep",
      ],
    ],
    [
      "stop-first, but the old one has ended anyway",
      [FRONTEND, ["services.frontend.order", "stop-first"]],
      withStates(host, { frontend: "exited" }),
      [
        "start frontend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "smoke candidate",
        "route requests go to the new release",
        "smoke live",
        "observe 1",
        "record",
        "drain frontend",
        "stop frontend",
        "remove frontend",
        "sweep",
      ],
    ],
    [
      "a container that a failed run left",
      [],
      {
        ...host,
        containers: [
          ...host.containers,
          { id: "x", key: "frontend-000000000000", role: "service", state: "exited" },
        ],
      },
      ["smoke live", "record", "sweep"],
    ],
    ["an interrupted release", [], { ...host, interrupted: true }, ["smoke live", "record", "sweep"]],
    [
      "no smoke tests",
      [FRONTEND, ["smoke", []]],
      host,
      [
        "start frontend'",
        "healthy frontend'",
        "stage the new release can be tried",
        "route requests go to the new release",
        "observe 1",
        "record",
        "drain frontend",
        "stop frontend",
        "remove frontend",
        "sweep",
      ],
    ],
  ])("%s", (_, edits, facts, steps) => {
    const done = planned(read(edited(...edits)), facts);
    expect(verbs(done, facts.current)).toEqual(steps);
    expect(done.plan.refusals).toEqual([]);
  });
});

describe("an exchange of the database", () => {
  it("lets only those wait who use it, as they were deployed", () => {
    const two: Edit = [
      "services.frontend",
      { ...(SHOP.services as { frontend: Values }).frontend, needs: ["database"] },
    ];
    const other: Edit = [
      "services.shop",
      { image: "shop:1", port: 3002, route: "/shop/", health: "/", memory: 64 },
    ];
    const facts = hostAfter(planned(read(edited(two, other))));
    // That the frontend does without it from now on does not help the one that serves.
    const { plan } = planned(read(edited(other, DATABASE)), facts);
    const hold = plan.steps.find(({ verb }) => verb === "hold")?.arguments[0] ?? "";
    const { live, fallback } = JSON.parse(plan.texts[hold] ?? "") as Record<string, Record<string, string>>;
    expect(live).toEqual({
      backend: "hold",
      frontend: "hold",
      shop: expect.stringMatching(/^shop-[0-9a-f]{12}:3002$/) as unknown,
    });
    expect(Object.keys(fallback ?? {}).sort()).toEqual(["backend", "frontend"]);
  });

  it("makes nobody wait where nobody uses it", () => {
    const alone = edited(["services.backend.needs", []]);
    const facts = hostAfter(planned(read(alone)));
    const { plan } = planned(read(change(alone, "database.memory", 220)), facts);
    expect(plan.steps.map(({ verb }) => verb)).not.toContain("hold");
  });
});

describe("memory", () => {
  const orders = (facts: Facts, ...edits: Edit[]) =>
    planned(read(edited(...edits)), facts)
      .plan.changes.filter(({ order }) => order !== undefined)
      .map(({ service, order, headroom }) => [service, order, headroom]);

  it("is counted with all that runs beside: what does not fit goes second", () => {
    expect(orders(hostWith(400), BACKEND, FRONTEND)).toEqual([
      ["backend", "start-first", 144],
      ["frontend", "start-first", 144],
    ]);
    expect(orders(hostWith(200), BACKEND, FRONTEND)).toEqual([
      ["backend", "start-first", 40],
      ["frontend", "stop-first", -56],
    ]);
  });

  it("of a service that goes is taken until it has gone", () => {
    const gone: Edit = ["services.worker", undefined];
    expect(orders(hostWith(159), BACKEND, gone)).toContainEqual(["backend", "stop-first", -1]);
    expect(orders(hostWith(160), BACKEND, gone)).toContainEqual(["backend", "start-first", 0]);
  });

  it("that a smaller version will free later does not count before", () => {
    const edits: Edit[] = [
      ["services.backend.memory", 60],
      ["services.backend.order", "stop-first"],
      FRONTEND,
    ];
    expect(orders(hostWith(90), ...edits)).toContainEqual(["frontend", "stop-first", -6]);
  });

  it("that a larger version will take later counts already", () => {
    const edits: Edit[] = [
      ["services.worker.memory", 128],
      ["services.worker.order", "stop-first"],
      FRONTEND,
    ];
    expect(orders(hostWith(159), ...edits)).toContainEqual(["frontend", "stop-first", -1]);
    expect(orders(hostWith(160), ...edits)).toContainEqual(["frontend", "start-first", 0]);
  });

  it("is not limited where the host told nothing", () => {
    expect(orders({ ...host, memory: undefined }, FRONTEND)).toEqual([
      ["frontend", "start-first", undefined],
    ]);
  });

  it("of the host is what config says, when that is less", () => {
    const limit: Edit = ["host.memory", 300 + 568 + 10];
    expect(orders(host, FRONTEND, limit)).toEqual([["frontend", "stop-first", -86]]);
  });

  it("that is missing for what is configured is a refusal, with the cure", () => {
    const asked: Edit[] = [BACKEND, FRONTEND, ["services.frontend.order", "start-first"]];
    expect(planned(read(edited(...asked)), hostWith(90)).plan.refusals).toEqual([
      "services.frontend.order: start-first needs 6 MiB more than the host has to spare; " +
        "use auto or stop-first, or lower a memory limit",
    ]);
    // What is left to choose never takes it away.
    expect(planned(read(edited(...asked)), hostWith(100)).plan.refusals).toEqual([]);
  });
});

describe("an image of PostgreSQL with another C library", () => {
  const ALPINE: Edit = ["database.image", "postgres:17-alpine"];

  it("is refused on the data of the last one, with the way, and may have a volume of its own", () => {
    const onDebian = planned(read(edited(ALPINE)), host).plan.refusals;
    expect(onDebian).toEqual([
      "database.image: the volume shop-test-database holds data of postgres:17-bookworm, and postgres:17-alpine sorts texts " +
        "otherwise: indexes would miss what is in them. Keep postgres:17-bookworm; or name a new database.volume, deploy, and " +
        "move the data over with pg_dump and pg_restore",
    ]);
    const after = hostAfter(planned(read(edited(ALPINE))));
    expect(planned(read(SMOKED), after).plan.refusals).toEqual([
      expect.stringContaining("holds data of postgres:17-alpine, and postgres:17-bookworm sorts"),
    ]);
    expect(planned(read(edited(ALPINE, ["database.volume", "new"])), host).plan.refusals).toEqual([]);
    expect(
      planned(read(edited(["database.image", "postgres:17.2-alpine3.20"])), after).plan.refusals,
    ).toEqual([]);
  });
});

describe("another major version of PostgreSQL", () => {
  const refusals = (...edits: Edit[]): readonly string[] =>
    planned(read(edited(...edits)), host).plan.refusals;

  it("is refused on the data of the last one, with the cure", () => {
    expect(refusals(["database.version", 18])).toEqual([
      "database.version: the volume shop-test-database holds data of PostgreSQL 17, which 18 cannot read. " +
        "Keep 17; or name a new database.volume, deploy, and move the data over with pg_dump and pg_restore",
    ]);
  });

  it("is not refused on another volume, nor another image of the same version", () => {
    expect(refusals(["database.version", 18], ["database.volume", "new"])).toEqual([]);
    expect(refusals(["database.image", "postgis:17-3.5"])).toEqual([]);
  });

  it("is not refused where none was", () => {
    expect(planned(read(edited(["database.version", 18]))).plan.refusals).toEqual([]);
  });
});

describe("the epoch", () => {
  const epochOf = (facts: Facts, ...edits: Edit[]) => planned(read(edited(...edits)), facts).plan.epoch;

  it.each<[situation: string, facts: Facts, edits: Edit[], epoch: number]>([
    ["begins with 1", EMPTY_HOST, [], 1],
    ["stays while nothing changes", host, [], 1],
    [
      "stays when only the way of a release is set otherwise",
      host,
      [["services.backend.order", "stop-first"]],
      1,
    ],
    ["stays when the host is reached otherwise", host, [["host.lockWait", 5]], 1],
    ["grows for a change", host, [FRONTEND], 2],
    ["grows for other smoke tests", host, [["smoke", []]], 2],
    ["grows for a container that stopped", withStates(host, { worker: "exited" }), [], 2],
    [
      "grows for a container that restarts again and again",
      withStates(host, { worker: "restarting" }),
      [],
      2,
    ],
    ["grows for a container that is gone", withStates(host, { worker: undefined }), [], 2],
    [
      "grows for a migration's container that is gone",
      withStates(host, { "backend-migrate": undefined }),
      [],
      2,
    ],
    ["grows for a run that was killed", { ...host, interrupted: true }, [], 2],
  ])("%s", (_, facts, edits, epoch) => {
    expect(epochOf(facts, ...edits)).toBe(epoch);
  });

  it("goes on from the host's", () => {
    const second = planned(read(edited(FRONTEND)), host);
    expect(second.plan.epoch).toBe(2);
    const third = planned(read(edited(FRONTEND)), hostAfter(second));
    expect([third.plan.epoch, third.plan.release]).toEqual([2, second.plan.release]);
  });
});

describe("what needs what", () => {
  it("comes in an order in which each comes after what it needs", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const needs = fc.tuple(...names.map((_, i) => fc.subarray(names.slice(0, i))));
    fc.assert(
      fc.property(needs, fc.shuffledSubarray(names, { minLength: names.length }), (lists, order) => {
        const services = Object.fromEntries(
          order.map((name) => [name, { image: "x:1", memory: 6, needs: lists[names.indexOf(name)] }]),
        );
        const sorted = byNeeds(read({ ...LEAST, services }));
        expect([...sorted].sort()).toEqual(names);
        for (const [i, name] of names.entries()) {
          for (const need of lists[i] ?? []) expect(sorted.indexOf(need)).toBeLessThan(sorted.indexOf(name));
        }
      }),
    );
  });
});

/* Any stack, on a host that any other stack was deployed to. */

const POOL = ["a", "b", "c", "d"];

const service = (before: readonly string[], withDatabase: boolean): fc.Arbitrary<Values> =>
  fc
    .record({
      version: fc.constantFrom(1, 2),
      memory: fc.constantFrom(10, 50, 200),
      http: fc.boolean(),
      order: fc.constantFrom("auto", "auto", "stop-first"),
      volume: fc.constantFrom("none", "none", "own", "shared"),
      needs: fc.subarray([...before, ...(withDatabase ? ["database"] : [])]),
      migrate: fc.boolean(),
    })
    .map(({ version, memory, http, order, volume, needs, migrate }) => ({
      image: `x:${version}`,
      memory,
      order,
      needs,
      ...(http ? { port: 3000, health: "/h" } : {}),
      ...(migrate ? { migrate: ["up", String(version)] } : {}),
      ...(volume === "none"
        ? {}
        : { volumes: [{ name: `v-${before.length}`, path: "/v", shareable: volume === "shared" }] }),
    }));

const stack: fc.Arbitrary<Values> = fc
  .tuple(fc.subarray(POOL, { minLength: 1 }), fc.boolean())
  .chain(([names, withDatabase]) =>
    fc.record({
      services: fc
        .tuple(...names.map((_, i) => service(names.slice(0, i), withDatabase)))
        .map((all) => Object.fromEntries(all.map((one, i) => [names[i] ?? "", one]))),
      database: fc
        .constantFrom(64, 128)
        .map((memory) => (withDatabase ? { version: 17, memory } : undefined)),
      domain: fc.constantFrom("one.org", "two.org"),
      proxy: fc.constantFrom(48, 64).map((memory) => ({ memory })),
      smoke: fc.constantFrom([], [{ path: "/" }]),
    }),
  )
  .map(({ database, ...rest }) => ({ ...LEAST, ...rest, ...(database ? { database } : {}) }));

interface Situation {
  readonly before: Config | undefined;
  readonly after: Config;
  readonly facts: Facts;
}

const rarely = fc.nat(3).map((n) => n === 0);

const situation: fc.Arbitrary<Situation> = fc
  .record({
    before: fc.option(stack, { nil: undefined }),
    // Undefined: as before.
    after: fc.option(stack, { nil: undefined, freq: 3 }),
    states: fc.dictionary(
      fc.constantFrom(...POOL, "database", "proxy", "a-migrate"),
      fc.constantFrom("exited", "restarting", "gone"),
      { maxKeys: 2 },
    ),
    memory: fc.integer({ min: 100, max: 1500 }),
    stray: rarely,
    interrupted: rarely,
  })
  .map(({ before: first, after, states, memory, stray, interrupted }) => {
    const before = first && read(first);
    const room = { total: memory * 1024, used: 0, ours: 0 };
    if (before === undefined)
      return { before, after: read(after ?? SMOKED), facts: { ...EMPTY_HOST, memory: room } };
    const found = Object.entries(states).map(([name, state]) => [name, state === "gone" ? undefined : state]);
    const facts = withStates(
      hostAfter(planned(before), room),
      Object.fromEntries(found) as Record<string, string>,
    );
    const extra = { id: "stray", key: "a-000000000000", role: "service", state: "exited" };
    return {
      before,
      after: after === undefined ? before : read(after),
      facts: { ...facts, interrupted, containers: [...facts.containers, ...(stray ? [extra] : [])] },
    };
  });

interface Routes {
  live: Record<string, string>;
  candidate: Record<string, string>;
}

/** Follows a plan step by step, as the runner does it, and calls `look` after each. */
function follow(done: Planned, facts: Facts, look: (now: Moment) => void): Moment {
  const { plan, stack: wanted } = done;
  const ended = ["exited", "created", "dead"];
  const old = (facts.current?.objects ?? []).filter(({ role }) => role !== "migrate");
  // The runner takes an interrupted release back first: what that had stopped runs again.
  const up = old.filter(({ id }) =>
    facts.containers.some((one) => one.id === id && (facts.interrupted || !ended.includes(one.state))),
  );
  const now: Moment = {
    step: { verb: "", arguments: [] },
    running: new Set(up.map(({ key }) => key)),
    begun: new Set(),
    healthy: new Set(),
    gone: new Set(),
    sheltered: new Set(),
    promoted: new Set(),
    observed: [],
    routes: { live: {}, candidate: {} },
    recorded: false,
    old: new Map(old.map(({ key, role }) => [key, role])),
    wanted: new Map(containersOf(wanted).map(({ key, spec }) => [key, spec])),
  };
  for (const step of plan.steps) {
    const [argument = ""] = step.arguments;
    now.step = step;
    switch (step.verb) {
      case "start":
        now.running.add(argument);
        now.begun.add(argument);
        break;
      case "revive":
        now.begun.add(argument);
        break;
      case "healthy":
        now.healthy.add(argument);
        break;
      case "stop":
        now.running.delete(argument);
        now.healthy.delete(argument);
        break;
      case "remove":
        now.gone.add(argument);
        break;
      case "shelter":
        now.sheltered.add(argument);
        break;
      case "promote":
        now.promoted.add(step.arguments[1] ?? "");
        break;
      case "observe":
        now.observed = step.arguments.slice(1);
        break;
      case "record":
        now.recorded = true;
        break;
      case "hold":
      case "stage":
      case "route":
        now.routes = JSON.parse(plan.texts[argument] ?? "") as Routes;
        break;
    }
    look(now);
  }
  return now;
}

interface Moment {
  step: Planned["plan"]["steps"][number];
  readonly running: Set<string>;
  /** Started by this release. */
  readonly begun: Set<string>;
  readonly healthy: Set<string>;
  readonly gone: Set<string>;
  /** Old ones that a reboot brings back instead of their successors. */
  readonly sheltered: Set<string>;
  /** Old ones that it no longer does. */
  readonly promoted: Set<string>;
  observed: readonly string[];
  routes: Routes;
  recorded: boolean;
  readonly old: ReadonlyMap<string, string>;
  readonly wanted: ReadonlyMap<
    string,
    { readonly role: string; readonly memory: number; readonly service: string }
  >;
}

describe("any release from any stack to any other", () => {
  type Case = Situation & Planned;
  // Made once for all the rules below.
  let cases: readonly Case[] = [];
  beforeAll(() => {
    cases = fc
      .sample(situation, { seed: 2010, numRuns: 200 })
      .map((one) => ({ ...one, ...planned(one.after, one.facts) }));
  });

  function each(look: (one: Case) => void): void {
    for (const one of cases) {
      try {
        look(one);
      } catch (cause) {
        const { before, after, facts, plan } = one;
        const services = JSON.stringify([before?.services, after.services]);
        const found = JSON.stringify([facts.memory, facts.containers]);
        const steps = plan.steps.map(({ verb, arguments: words }) => [verb, ...words].join(" ")).join("\n");
        throw new Error(`${String(cause)}\nfrom, to: ${services}\nfound: ${found}\n${steps}`, { cause });
      }
    }
  }
  const follows = (look: (now: Moment, found: Case) => void): void => {
    each((one) => {
      follow(one, one.facts, (now) => {
        look(now, one);
      });
    });
  };
  const keyOf = (address: string): string => address.replace(/:\d+$/, "");
  const serviceOf = (key: string): string => key.replace(/-[0-9a-f]{12}$/, "");

  it("sends requests only to what is healthy since it started", () => {
    follows(({ step, begun, healthy, old, routes }) => {
      if (!["hold", "stage", "route"].includes(step.verb)) return;
      for (const address of [...Object.values(routes.live), ...Object.values(routes.candidate)]) {
        const key = keyOf(address);
        if (key === "hold") continue;
        expect(begun.has(key) ? healthy.has(key) : old.has(key), `${step.verb} to ${key}`).toBe(true);
      }
    });
  });

  it("waits for each container that it starts, and watches each service under real requests", () => {
    follows(({ step, begun, healthy, wanted, observed }) => {
      if (step.verb !== "record") return;
      expect([...begun].filter((key) => !healthy.has(key))).toEqual([]);
      const services = [...begun].filter((key) => wanted.get(key)?.role === "service");
      expect([...observed].sort()).toEqual(services.sort());
    });
  });

  it("stops nothing that serves before it is recorded, unless its requests wait or only one can run", () => {
    follows(({ step, recorded, old, routes, running, healthy }, { before, facts }) => {
      const [key = ""] = step.arguments;
      if (step.verb !== "stop" || recorded || old.get(key) === "proxy") return;
      const served = facts.current?.objects.find((one) => one.key === key);
      // Or go to its successor already.
      const live = served && routes.live[served.service];
      if (old.get(key) === "database") {
        const users = Object.entries(routes.live).filter(
          ([name]) =>
            before?.services[name]?.needs.includes("database") === true &&
            [...running].some((one) => serviceOf(one) === name),
        );
        expect(users.filter(([, address]) => address !== "hold")).toEqual([]);
      } else if (served?.health.startsWith("http:") === true) {
        expect(live).not.toBe(`${key}:3000`);
        expect(live === "hold" || healthy.has(keyOf(live ?? ""))).toBe(true);
      }
    });
  });

  it("has the old one come back after a reboot until the new one has proven itself", () => {
    follows(({ step, recorded, sheltered, promoted }) => {
      const [key = ""] = step.arguments;
      if (step.verb === "stop" && !recorded) expect(sheltered).toContain(key);
      if (step.verb === "record") expect([...promoted].sort()).toEqual([...sheltered].sort());
    });
  });

  it("routes again whatever it held, and in the end to exactly what is wanted", () => {
    each((one) => {
      const http = one.stack.services.flatMap(({ name, container: { key, spec } }): [string, string][] =>
        spec.health.kind === "http" ? [[name, `${key}:${spec.health.port}`]] : [],
      );
      const before = (one.facts.current?.objects ?? []).flatMap(
        ({ service: name, key, health }): [string, string][] =>
          health.startsWith("http:") ? [[name, `${key}:3000`]] : [],
      );
      const end = follow(one, one.facts, ({ step, routes }) => {
        if (step.verb === "record") expect(Object.values(routes.live)).not.toContain("hold");
      });
      const routed = one.plan.steps.some(({ verb }) => ["route", "stage"].includes(verb));
      if (JSON.stringify(before.sort()) !== JSON.stringify([...http].sort())) expect(routed).toBe(true);
      if (routed) expect(end.routes.live).toEqual(Object.fromEntries(http));
    });
  });

  it("starts each after what it needs", () => {
    follows(({ step, begun, running, healthy }, { after, stack: { services } }) => {
      if (step.verb !== "start") return;
      const starting = services.find(({ container }) => container.key === step.arguments[0])?.name ?? "";
      for (const need of after.services[starting]?.needs ?? []) {
        const ready = [...running].some(
          (key) => serviceOf(key) === need && (!begun.has(key) || healthy.has(key)),
        );
        expect(ready, `${starting} started before ${need}`).toBe(true);
      }
    });
  });

  it("records once, and only tidies after it", () => {
    each(({ plan }) => {
      const all = plan.steps.map(({ verb }) => verb);
      const at = all.indexOf("record");
      expect(all.lastIndexOf("record")).toBe(at);
      expect(["drain", "stop", "remove", "sweep"]).toEqual(expect.arrayContaining(all.slice(at + 1)));
      expect(all.slice(0, at)).not.toContain("remove");
      expect(all.at(-1)).toBe("sweep");
    });
  });

  it("ends with all that is wanted running, and nothing else", () => {
    each((one) => {
      const end = follow(one, one.facts, () => undefined);
      const wanted = [...end.wanted].filter(([, { role }]) => role !== "migrate").map(([key]) => key);
      expect([...end.running].sort()).toEqual(wanted.sort());
      const there = new Set(one.facts.containers.map(({ key }) => key));
      const replaced = [...end.old.keys()].filter((key) => !end.wanted.has(key) && there.has(key));
      expect([...end.gone].sort()).toEqual(replaced.sort());
    });
  });

  it("never runs two versions that may not write to a volume at once", () => {
    follows(({ step, recorded, running }, { after }) => {
      if (recorded || step.verb !== "start") return;
      const name = serviceOf(step.arguments[0] ?? "");
      if (after.services[name]?.volumes.some(({ shareable }) => !shareable) !== true) return;
      expect([...running].filter((key) => serviceOf(key) === name)).toHaveLength(1);
    });
  });

  it("never runs two containers that may write to a volume which is one's alone", () => {
    let moved = 0;
    follows(({ step, recorded, running }, { after, facts, stack: wanted }) => {
      if (recorded || step.verb !== "start") return;
      const starting =
        wanted.services.find(({ container }) => container.key === step.arguments[0])?.name ?? "";
      const own = after.services[starting]?.volumes.filter(({ shareable }) => !shareable) ?? [];
      for (const { name } of own) {
        const volume = `shop-test-${name}`;
        const holders = [
          ...Object.values(facts.current?.record.containers ?? {}),
          ...Object.values(wanted.record.containers),
        ].filter(({ volumes }) => volumes?.includes(volume) === true);
        const keys = new Set(holders.map(({ key }) => key));
        expect([...running].filter((key) => keys.has(key))).toHaveLength(1);
        if (new Set([...keys].map(serviceOf)).size > 1) moved++;
      }
    });
    expect(moved, "volumes that moved from one service to another").toBeGreaterThan(3);
  });

  it("names texts that exist, each with words for people, and none in vain", () => {
    each(({ plan }) => {
      const named = plan.steps
        .filter(({ verb }) => ["site", "hold", "stage", "route"].includes(verb))
        .map(({ arguments: [name = ""] }) => name);
      expect(Object.keys(plan.labels).sort()).toEqual([...new Set(named)].sort());
      const script = named.includes("site") ? ["routes.js"] : [];
      expect(Object.keys(plan.texts).sort()).toEqual([...new Set(named), ...script].sort());
    });
  });

  it("keeps within the memory, as far as any order of it could", () => {
    /** The most that runs at once from the start of the first service on. Migrations come before. */
    const peak = (one: Planned, facts: Facts): number => {
      const records = Object.values(facts.current?.record.containers ?? {});
      const limits = new Map(records.map(({ key, memory }) => [key, memory]));
      let most = 0;
      let starting = false;
      follow(one, facts, ({ step, running, wanted }) => {
        starting ||= step.verb === "start" && wanted.get(step.arguments[0] ?? "")?.role === "service";
        const all = [...running].map((key) => wanted.get(key)?.memory ?? limits.get(key) ?? 0);
        if (starting)
          most = Math.max(
            most,
            all.reduce((sum, memory) => sum + memory, 0),
          );
      });
      return most;
    };
    each((one) => {
      const frugal = structuredClone(one.after);
      for (const service of Object.values(frugal.services)) service.order = "stop-first";
      const total = (one.facts.memory?.total ?? 0) / 1024;
      expect(peak(one, one.facts)).toBeLessThanOrEqual(
        Math.max(total, peak(planned(frugal, one.facts), one.facts)),
      );
      expect(one.plan.refusals).toEqual([]);
    });
  });

  it("runs again exactly when the host is not as it is wanted", () => {
    each(({ before, plan, facts }) => {
      const current = facts.current?.epoch ?? 0;
      const first = before && planned(before);
      const whole = first && JSON.stringify(facts.containers) === JSON.stringify(hostAfter(first).containers);
      const settled = first?.plan.release === plan.release && whole === true && !facts.interrupted;
      expect(plan.epoch).toBe(settled ? current : current + 1);
    });
  });

  it("is tried here in every way", () => {
    const seen = new Set(cases.flatMap(({ plan }) => plan.steps.map(({ verb }) => verb)));
    const all = [
      "backup",
      "drain",
      "healthy",
      "hold",
      "migrate",
      "observe",
      "password",
      "promote",
      "record",
      "rehearse",
      "rejoin",
      "remove",
      "revive",
    ];
    expect([...seen].sort()).toEqual([
      ...all,
      "route",
      "shelter",
      "site",
      "smoke",
      "stage",
      "start",
      "stop",
      "sweep",
    ]);
    expect(cases.filter(({ plan, facts }) => plan.epoch === facts.current?.epoch).length).toBeGreaterThan(5);
    const orders = cases.flatMap(({ plan }) => plan.changes.map(({ order }) => order));
    for (const order of ["start-first", "stop-first"]) {
      expect(orders.filter((one) => one === order).length).toBeGreaterThan(50);
    }
  });
});

describe("the stacks of these tests", () => {
  it("are such as a person may write", () => {
    fc.assert(fc.property(stack, (values) => problemsOf(values).length === 0));
  });
});
