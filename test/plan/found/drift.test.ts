import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Facts, FoundContainer } from "../../../plan/found/facts";
import { generation } from "../../../plan/found/present";
import { routesFile, siteConfig, siteDigest } from "../../../plan/site/nginx";
import { explain } from "../../../plan/words/explain";
import { change, LEAST, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import {
  containersOf,
  EMPTY_HOST,
  hostAfter,
  type Planned,
  planned,
  SCRIPT,
  verbs,
  withStates,
} from "../support/stack";

// What was changed on a host without a release, how it is told, and which verbs put it right.

const serving = planned(read(SHOP));
const config = serving.config;
const site = siteConfig(config, SCRIPT);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const keys = Object.fromEntries(
  containersOf(serving.stack).map(({ key, spec }) => [
    spec.role === "migrate" ? `${spec.service}-migrate` : spec.service,
    key,
  ]),
);
const live = {
  backend: `${keys.backend ?? ""}:3000`,
  frontend: `${keys.frontend ?? ""}:3001`,
};
const NETWORKS = {
  edge: { id: "e1", name: "shop-test-edge-1" },
  data: { id: "d1", name: "shop-test-data-1" },
};

/** A host that tells all that there is to tell. */
const host: Facts = (() => {
  const plain = hostAfter(serving);
  const specs = new Map(containersOf(serving.stack).map(({ key, spec }) => [key, spec]));
  return {
    ...plain,
    containers: plain.containers.map((one): FoundContainer => {
      const spec = specs.get(one.key);
      return {
        ...one,
        health: "healthy",
        memory: spec?.memory ?? 0,
        restart: one.role === "migrate" ? "no" : "always",
        networks: spec?.networks.map((kind) => NETWORKS[kind]) ?? [],
      };
    }),
    networks: Object.values(NETWORKS),
    seen: new Map([
      ...plain.seen,
      ...Object.entries(NETWORKS).map(
        ([kind, { id }]) => [`network:${kind}`, { id, generation: 0 }] as const,
      ),
    ]),
    proxy: {
      files: new Map([
        ["nginx.conf", sha256(site)],
        ["routes.js", sha256(SCRIPT)],
      ]),
      routes: routesFile(live),
      loaded: siteDigest(site),
    },
  };
})();

/** The host with one container otherwise. */
function having(service: string, otherwise: Partial<FoundContainer>, facts = host): Facts {
  const found = facts.containers.map((one) => (one.key === keys[service] ? { ...one, ...otherwise } : one));
  expect(found).not.toEqual(facts.containers);
  return { ...facts, containers: found };
}

function withFiles(otherwise: Partial<NonNullable<Facts["proxy"]>>): Facts {
  if (host.proxy === undefined) throw new Error("the host has no proxy");
  return { ...host, proxy: { ...host.proxy, ...otherwise } };
}

const withFile = (name: string, digest: string): Facts =>
  withFiles({ files: new Map([...(host.proxy?.files ?? []), [name, digest]]) });
const withoutNetwork = (kind: "edge" | "data"): Facts => ({
  ...host,
  networks: host.networks.filter(({ id }) => id !== NETWORKS[kind].id),
});

const END = ["record", "sweep"];

describe("drift of a stack (each row: what a preview says, and all that is done)", () => {
  it.each<[situation: string, facts: Facts, said: string[], steps: string[]]>([
    [
      "a frontend stopped",
      having("frontend", { state: "exited" }),
      ["frontend  is exited: started again"],
      ["start frontend", "healthy frontend", "observe 1", ...END],
    ],
    [
      "a frontend removed",
      withStates(host, { frontend: undefined }),
      ["frontend  is gone: made anew and started"],
      ["start frontend", "healthy frontend", "observe 1", ...END],
    ],
    [
      "a database removed with its data: its service's migration runs again",
      {
        ...withStates(host, { database: undefined }),
        volumes: host.volumes.filter(({ name }) => !name.endsWith("-database")),
      },
      [
        "database  is gone: made anew and started",
        "the DATA of database IS LOST: the volume shop-test-database is gone from the host: begins empty, and every " +
          "migration runs again (dumps are in backup/ of the stack's folder on the host)",
        `runs ${keys["backend-migrate"] ?? ""} first: what it does to the data is not undone`,
      ],
      ["start database", "healthy database", "password database", "migrate backend-migrate", ...END],
    ],
    [
      "a frontend that the engine could not remove is as good as removed",
      having("frontend", { state: "dead" }),
      ["frontend  is gone: made anew and started"],
      ["start frontend", "healthy frontend", "observe 1", ...END],
    ],
    [
      "a frontend paused",
      having("frontend", { state: "paused" }),
      ["frontend  is paused: goes on"],
      ["start frontend", "healthy frontend", "observe 1", ...END],
    ],
    [
      "a frontend unhealthy: its requests wait",
      having("frontend", { health: "unhealthy" }),
      ["frontend  is running but unhealthy: restarted, unless it recovers"],
      [
        "hold requests to frontend wait",
        "revive frontend",
        "healthy frontend",
        "route requests to frontend go on",
        "observe 1",
        ...END,
      ],
    ],
    [
      "a worker that restarts again and again: nobody's requests wait",
      having("worker", { state: "restarting" }),
      ["worker    restarts again and again: restarted"],
      ["revive worker", "healthy worker", "observe 1", ...END],
    ],
    [
      "a database unhealthy: all wait, and whoever uses it is asked afterwards",
      having("database", { health: "unhealthy" }),
      ["database  is running but unhealthy: restarted, unless it recovers"],
      [
        "hold requests wait for the database",
        "drain backend",
        "revive database",
        "healthy database",
        "password database",
        "healthy backend",
        "route requests go on",
        ...END,
      ],
    ],
    [
      "a database unhealthy, and a backend for want of it: in the order of needs",
      having("backend", { health: "unhealthy" }, having("database", { health: "unhealthy" })),
      [
        "database  is running but unhealthy: restarted, unless it recovers",
        "backend   is running but unhealthy: restarted, unless it recovers",
      ],
      [
        "hold requests wait for the database",
        "drain backend",
        "revive database",
        "healthy database",
        "password database",
        "route requests go on",
        "hold requests to backend wait",
        "revive backend",
        "healthy backend",
        "route requests to backend go on",
        "observe 1",
        ...END,
      ],
    ],
    [
      "a proxy unhealthy: stopped, its files installed, started; a restart of the machine brings it back meanwhile",
      having("proxy", { health: "unhealthy" }),
      ["proxy     is running but unhealthy: restarted, unless it recovers"],
      [
        "shelter proxy",
        "stop proxy",
        "site nginx has the site's configuration",
        "start proxy",
        "healthy proxy",
        "promote proxy",
        ...END,
      ],
    ],
    [
      "a proxy paused: it goes on, and then its files are looked after, which nobody could ask for",
      { ...having("proxy", { state: "paused" }), proxy: undefined },
      ["proxy     is paused: goes on"],
      ["start proxy", "healthy proxy", "site nginx has the site's configuration", ...END],
    ],
    [
      "another memory limit and another restart policy",
      having("worker", { memory: 256 }, having("frontend", { restart: "no" })),
      [
        "frontend  has the restart policy no: set to always again",
        "worker    may use 256 MiB instead of 64: limited again",
      ],
      ["limit frontend", "limit worker", ...END],
    ],
    [
      "a backend cut off from the database's network",
      having("backend", { networks: [NETWORKS.edge] }),
      ["backend   is cut off from the network data: connected again"],
      [
        "attach backend",
        "hold requests to backend wait",
        "revive backend",
        "healthy backend",
        "route requests to backend go on",
        "observe 1",
        ...END,
      ],
    ],
    [
      "a stopped frontend that is cut off: connected before it starts",
      having("frontend", { state: "exited", networks: [] }),
      ["frontend  is exited: started again; is cut off from the network edge: connected again"],
      ["attach frontend", "start frontend", "healthy frontend", "observe 1", ...END],
    ],
    [
      "the database's network gone",
      withoutNetwork("data"),
      [
        "database  is cut off from the network data: connected again",
        "backend   is cut off from the network data: connected again",
        "the network data is gone: made anew",
      ],
      [
        "attach database",
        "attach backend",
        "hold requests wait for the database",
        "drain backend",
        "revive database",
        "healthy database",
        "password database",
        "route requests go on",
        "hold requests to backend wait",
        "revive backend",
        "healthy backend",
        "route requests to backend go on",
        "observe 1",
        ...END,
      ],
    ],
    [
      "nginx.conf edited",
      withFile("nginx.conf", sha256(`${site}# x`)),
      ["nginx.conf was edited by hand: installed again"],
      ["site nginx has the site's configuration", ...END],
    ],
    [
      "nginx.conf and routes.js deleted: installed once",
      withFiles({
        files: new Map([
          ["nginx.conf", "missing"],
          ["routes.js", "missing"],
        ]),
      }),
      ["nginx.conf is gone: installed again", "routes.js is gone: installed again"],
      ["site nginx has the site's configuration", ...END],
    ],
    [
      "another configuration loaded",
      withFiles({ loaded: "000000000000" }),
      ["nginx runs with another configuration than its nginx.conf: loaded again"],
      ["site nginx has the site's configuration", ...END],
    ],
    [
      "routes.json edited",
      withFiles({ routes: routesFile({ ...live, backend: "elsewhere:1" }) }),
      ["routes.json was edited by hand: installed again"],
      ["route requests go where they should again", ...END],
    ],
    [
      "routes.json no JSON any more",
      withFiles({ routes: "{" }),
      ["routes.json was edited by hand: installed again"],
      ["route requests go where they should again", ...END],
    ],
    [
      "routes.json deleted",
      withFiles({ routes: undefined }),
      ["routes.json is gone: installed again"],
      ["route requests go where they should again", ...END],
    ],
    [
      "a container with our label",
      {
        ...host,
        containers: [
          ...host.containers,
          { id: "0123456789abcdef", key: "", role: "proxy", state: "running" },
        ],
      },
      ["the container 0123456789ab (running) is not of the release that serves: removed"],
      END,
    ],
    [
      "a run that was killed: what is otherwise is its own until it is settled",
      { ...withFile("nginx.conf", "0"), interrupted: true },
      ["an earlier release was interrupted: taken back or tidied first"],
      END,
    ],
    [
      "a migration's container removed",
      withStates(host, { "backend-migrate": undefined }),
      ["the container of backend's migration is gone: made anew, and not run again"],
      END,
    ],
  ])("%s", (_, facts, said, steps) => {
    const done = planned(config, facts);
    expect(verbs(done, facts.current)).toEqual(steps);
    expect(done.plan.epoch).toBe(2);
    const text = explain(done.plan, config, facts).split("\n");
    expect(text[0]).toMatch(/serves already: to be put right$/);
    const told = text.slice(1).filter((line) => !/ unchanged$|^ {2}(host: |no smoke test)/.test(line));
    expect(told.map((line) => line.trim()).sort()).toEqual([...said].sort());
  });

  it("is none where all is as the release left it", () => {
    const { plan } = planned(config, host);
    expect([plan.drift, plan.epoch]).toEqual([[], 1]);
  });

  it.each<[situation: string, facts: Facts]>([
    ["a host that tells less, of an older release", hostAfter(serving)],
    ["a kernel that cannot limit memory", having("worker", { memory: 0 })],
    [
      "routes in another order",
      withFiles({ routes: routesFile(Object.fromEntries(Object.entries(live).reverse())) }),
    ],
    ["a proxy without the tools to tell", withFiles({ files: new Map(), loaded: "" })],
    [
      "a container that was never started and knows its network by name",
      having("worker", {
        networks: [{ name: NETWORKS.edge.name, id: "" }],
      }),
    ],
    [
      "a container in one more network",
      having("worker", { networks: [NETWORKS.edge, { name: "other", id: "o" }] }),
    ],
  ])("is none for %s", (_, facts) => {
    expect(planned(config, facts).plan.drift).toEqual([]);
  });

  it("of files is not told while a run is at work on them, nor of an older program's site", () => {
    const edited = withFile("nginx.conf", "0");
    expect(planned(config, edited).plan.drift).toHaveLength(1);
    expect(planned(config, { ...edited, active: "ann" }).plan.drift).toEqual([]);
    expect(planned(config, { ...edited, active: "ann", interrupted: true }).plan.drift).toEqual([]);
    expect(planned(read(change(SHOP, "domain", "other.org")), edited).plan.drift).toEqual([]);
  });

  it("is put right in the same release as a change", () => {
    const facts = withStates(host, { database: "exited", proxy: undefined });
    const done = planned(read(change(change(SHOP, "database.memory", 220), "proxy.memory", 64)), facts);
    // Only a database that runs can be dumped; nothing is asked of a proxy that is gone.
    expect(verbs(done, facts.current)).toEqual([
      "site nginx has the site's configuration",
      "start proxy'",
      "healthy proxy'",
      "start database",
      "healthy database",
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
      "record",
      "remove database",
      "sweep",
    ]);
  });
});

describe("a network", () => {
  it("is made anew exactly when it is gone", () => {
    expect(generation(host, "network:edge")).toBe(0);
    expect(generation(withoutNetwork("edge"), "network:edge")).toBe(1);
    expect(generation(EMPTY_HOST, "network:edge")).toBe(0);
  });

  it("that is made anew is told to the runner with who should be in it", () => {
    const names = (facts: Facts): string[] =>
      planned(config, facts).plan.steps.flatMap(({ verb, arguments: [key = ""] }) =>
        verb === "attach" ? [key] : [],
      );
    expect(names(host)).toEqual([]);
    expect(names(withoutNetwork("edge")).sort()).toEqual(
      [keys.proxy, keys.backend, keys.frontend, keys.worker].sort(),
    );
  });
});

describe("data that was lost", () => {
  const without = (facts: Facts, name: string): Facts => ({
    ...facts,
    volumes: facts.volumes.filter((one) => !one.name.endsWith(name)),
  });
  const steps = (done: Planned, facts: Facts) => verbs(done, facts.current);
  const kindsOf = (facts: Facts) => planned(config, facts).plan.drift.map(({ kind }) => kind);

  it("is not dumped, empty as it begins: that would push out the dumps of what was lost", () => {
    const contract = read(change(SHOP, "services.backend.migrateKind", "contract"));
    const facts = without(withStates(hostAfter(planned(contract)), { database: undefined }), "-database");
    expect(steps(planned(contract, facts), facts).slice(0, 4)).toEqual([
      "start database",
      "healthy database",
      "password database",
      "migrate backend-migrate",
    ]);
  });

  it("is migrated until a release is recorded with it, also if its volume is there by then", () => {
    const lost = without(host, "-database");
    expect(planned(config, lost).plan.volumes).toContainEqual({ name: "shop-test-database", generation: 1 });
    const made = host.volumes.map((one) => (one.name.endsWith("-database") ? { ...one, made: 1 } : one));
    const killed = { ...host, volumes: made };
    expect(kindsOf(killed)).toEqual(["data"]);
    expect(steps(planned(config, killed), killed)).toContain("migrate backend-migrate");
    const record = planned(config, killed).plan.record;
    const recorded = { ...killed, current: killed.current && { ...killed.current, record } };
    expect(kindsOf(recorded)).toEqual([]);
    expect(steps(planned(config, recorded), recorded)).not.toContain("migrate backend-migrate");
  });

  it("of a service itself has its migration run again", () => {
    const files = read(change(SHOP, "services.backend.volumes", [{ name: "files", path: "/files" }]));
    const there = hostAfter(planned(files));
    expect(steps(planned(files, there), there)).not.toContain("migrate backend-migrate");
    const lost = without(withStates(there, { backend: undefined }), "-files");
    expect(steps(planned(files, lost), lost)).toContain("migrate backend-migrate");

    const made = there.volumes.map((one) => (one.name.endsWith("-files") ? { ...one, made: 1 } : one));
    const killed = { ...there, volumes: made };
    expect(planned(files, killed).plan.drift.map(({ what }) => what)).toEqual([
      "the data of backend is new: the volume shop-test-files was lost and made anew",
    ]);
    expect(steps(planned(files, killed), killed)).toContain("migrate backend-migrate");
    const record = planned(files, killed).plan.record;
    const recorded = { ...killed, current: killed.current && { ...killed.current, record } };
    expect(planned(files, recorded).plan.drift).toEqual([]);
  });

  it("is found too where a release of an older program did not count", () => {
    const seen = new Map([...host.seen].filter(([key]) => !key.startsWith("volume:")));
    const facts = without({ ...host, seen }, "-database");
    expect(generation(facts, "volume:shop-test-database")).toBe(1);
    expect(generation(facts, "volume:shop-test-other")).toBe(0);
    expect(steps(planned(config, facts), facts)).toContain("migrate backend-migrate");
  });
});

describe("a volume that only one may write to", () => {
  const holder = (name: string, more: Values = {}): Values => ({
    [name]: { image: "x:1", port: 3000, route: "/", health: "/h", memory: 64, ...more },
  });
  const VOLUME = { volumes: [{ name: "files", path: "/files" }] };
  const stack = (services: Values) => read({ ...LEAST, services });

  it("has no two writers when its service is renamed", () => {
    const facts = hostAfter(planned(stack(holder("shop", VOLUME))));
    const done = planned(stack(holder("store", VOLUME)), facts);
    const steps = verbs(done, facts.current);
    expect(steps.slice(steps.indexOf("hold requests to store, shop wait"))).toEqual([
      "hold requests to store, shop wait",
      "drain shop",
      "shelter shop",
      "stop shop",
      "start store'",
      "healthy store'",
      "stage the new release can be tried",
      "site nginx has the site's configuration",
      "promote store'",
      "route requests go to the new release",
      "observe 1",
      "record",
      "remove shop",
      "sweep",
    ]);
    expect(explain(done.plan, done.config, facts)).toContain(
      "store  new, 64 MiB; image x:1; starts once the service that had its volume has stopped",
    );
    // Who waited for the old name goes to the new one.
    const [last = ""] = done.plan.steps.filter(({ verb }) => verb === "route").at(-1)?.arguments ?? [];
    const store = containersOf(done.stack).find(({ spec }) => spec.service === "store");
    const address = `${store?.key ?? ""}:3000`;
    expect(JSON.parse(done.plan.texts[last] ?? "")).toEqual({
      live: { store: address },
      candidate: {},
      heirs: { shop: address },
    });
  });

  it("has no two writers when it moves to another service", () => {
    const facts = hostAfter(planned(stack({ ...holder("a", VOLUME), ...holder("b", { route: "/b/" }) })));
    const done = planned(stack({ ...holder("a"), ...holder("b", { route: "/b/", ...VOLUME }) }), facts);
    const steps = verbs(done, facts.current);
    // The new a is healthy by then: its requests need not wait.
    expect(steps.slice(0, steps.indexOf("observe 1"))).toEqual([
      "start a'",
      "healthy a'",
      "hold requests to b, a wait",
      "drain b",
      "shelter b",
      "stop b",
      "drain a",
      "shelter a",
      "stop a",
      "start b'",
      "healthy b'",
      "stage the new release can be tried",
      "promote b'",
      "promote b'",
      "route requests go to the new release",
    ]);
    const [hold = ""] = done.plan.steps.flatMap(({ verb, arguments: [name = ""] }) =>
      verb === "hold" ? [name] : [],
    );
    expect(JSON.parse(done.plan.texts[hold] ?? "")).toMatchObject({
      live: { a: expect.stringMatching(/^a-/) as string, b: "hold" },
    });
  });

  it("is no reason to wait where the release that serves did not tell its volumes", () => {
    const facts = hostAfter(planned(stack(holder("shop", VOLUME))));
    const { current } = facts;
    if (current === undefined) throw new Error("nothing serves");
    for (const one of Object.values(current.record.containers)) delete one.volumes;
    expect(verbs(planned(stack(holder("store", VOLUME)), facts), current)).toContain(
      "stage store can be reached",
    );
  });
});

describe("a replaced service that ails whoever needs it", () => {
  const ill = having("worker", { health: "unhealthy" }, having("backend", { health: "unhealthy" }));
  const replaced = change(SHOP, "services.backend.image", "backend:2");

  it("is reached before the others are asked for their health", () => {
    const steps = verbs(planned(read(replaced), ill), ill.current);
    expect(steps.slice(0, 6)).toEqual([
      "migrate backend-migrate'",
      "start backend'",
      "healthy backend'",
      "stage backend can be reached",
      "revive worker",
      "healthy worker",
    ]);
  });

  it("is exchanged before them where two have no room", () => {
    const steps = verbs(
      planned(read(change(replaced, "services.backend.order", "stop-first")), ill),
      ill.current,
    );
    expect(steps.slice(0, steps.indexOf("observe 1"))).toEqual([
      "migrate backend-migrate'",
      "hold requests to backend wait",
      "drain backend",
      "shelter backend",
      "stop backend",
      "start backend'",
      "healthy backend'",
      "promote backend'",
      "route requests to backend go on",
      "revive worker",
      "healthy worker",
    ]);
  });
});
