import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../plan/config/schema";
import { routesScript } from "../../host/bundle";
import { type Prepared, prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { liveRoutes, serving, violations } from "./lib/serving";
import { apiService, config, full, plain, webService } from "./lib/stacks";
import { running, story } from "./lib/story";
import { removeWorlds, type World } from "./lib/world";

// What was changed by hand is told by the host, put right by a run, and then there is nothing more to do.

afterAll(removeWorlds);

interface Found {
  readonly world: World;
  readonly keys: Readonly<Record<string, string>>;
  /** The folder of a service's container. */
  readonly folder: (service: string) => string;
}

async function found(wanted: Config): Promise<Found & { before: Prepared }> {
  const { world, before } = await serves(wanted);
  const keys = Object.fromEntries(before.keys.map((key) => [key.replace(/-[0-9a-f]{12}$/, ""), key]));
  return { world, before, keys, folder: (service) => world.containerOf(keys[service] ?? "") };
}

/** As `up` does it: facts, plan, run. */
async function up(
  world: World,
  wanted: Config,
): Promise<{ next: Prepared; code: number | null; output: string }> {
  const next = prepare(world, wanted, routesScript(), await world.facts());
  world.write("calls", "");
  return { next, ...(await release(world, next)) };
}

const kinds = ({ plan }: Prepared): string[] =>
  plan.drift.map(({ service = "", kind }) => `${service} ${kind}`.trim());

const EDGE = "shop-test-edge-0";

describe.concurrent("drift (each row: what somebody did, what is told, all that is changed)", () => {
  it.each<[what: string, hand: (found: Found) => void, told: string[], done: string[]]>([
    [
      "a service and the proxy stopped",
      ({ world, folder }) => {
        for (const one of ["web", "proxy"]) world.write(`${folder(one)}/state`, "exited 0 0 false\n");
      },
      ["proxy stopped", "web stopped"],
      ["cp routes.js", "cp routes.json", "cp nginx.conf", "start proxy", "start web"],
    ],
    [
      "a service paused",
      ({ world, folder }) => {
        world.write(`${folder("api")}/state`, "paused 0 0 false\n");
      },
      ["api paused"],
      ["unpause api", "start api"],
    ],
    [
      "a worker that crashes again and again, and runs just now",
      ({ world, folder }) => {
        world.write(`${folder("web")}/state`, "running 7 0 false\n");
        world.write(`${folder("web")}/health`, "starting\n");
        world.write(`${folder("web")}/acts`, "sick until restart\n");
      },
      ["web unhealthy"],
      ["write routes.json", "restart web", "start web", "write routes.json"],
    ],
    [
      "one that the engine restarts just now",
      ({ world, folder }) => {
        world.write(`${folder("web")}/state`, "restarting 7 1 false\n");
      },
      ["web restarting"],
      ["write routes.json", "restart web", "start web", "write routes.json"],
    ],
    [
      "another limit, another policy",
      ({ world, folder }) => {
        world.write(`${folder("api")}/memory`, `${1024 ** 3}\n`);
        world.write(`${folder("database")}/restart`, "no\n");
      },
      ["api limits", "database limits"],
      ["limit database 64m always", "limit api 32m always"],
    ],
    [
      "a service cut off",
      ({ world, folder }) => {
        world.write(`${folder("web")}/networks`, "");
      },
      ["web detached"],
      ["connect web web", "write routes.json", "write routes.json"],
    ],
    [
      "a network removed, and a service stopped that was in it",
      ({ world, folder }) => {
        world.write(
          "networks",
          `${world
            .lines("networks")
            .filter((line) => !line.startsWith(EDGE))
            .join("\n")}\n`,
        );
        for (const one of ["proxy", "worker"]) world.write(`${folder(one)}/networks`, "");
        world.write(`${folder("web")}/state`, "exited 0 0 false\n");
        for (const one of ["api"]) {
          const left = world.lines(`${folder(one)}/networks`).filter((line) => !line.startsWith(EDGE));
          world.write(`${folder(one)}/networks`, `${left.join("\n")}\n`);
        }
      },
      ["api detached", "network", "proxy detached", "web detached", "web stopped", "worker detached"],
      [
        "connect proxy proxy",
        "connect api api",
        "connect worker worker worker",
        "write routes.json",
        "disconnect web",
        "connect web web",
        "start web",
        "write routes.json",
      ],
    ],
    [
      "nginx.conf edited, and loaded",
      ({ world, folder }) => {
        const edited = (world.read("volumes/proxy/nginx.conf") ?? "").replace("gzip on", "gzip off");
        world.write("volumes/proxy/nginx.conf", edited);
        world.write(`${folder("proxy")}/loaded`, edited);
      },
      ["proxy site"],
      ["write routes.js", "write routes.json", "write next.conf", "write nginx.conf", "reload proxy"],
    ],
    [
      "routes.json edited",
      ({ world }) => {
        world.write("volumes/proxy/routes.json", '{"live":{"web":"nowhere:1"}}');
      },
      ["proxy routes"],
      ["write routes.json"],
    ],
    [
      "a container with our label, called a proxy",
      ({ world, folder }) => {
        const id = "f".repeat(64);
        const about = (world.read(`${folder("proxy")}/about`) ?? "").replace(/^key=.*$/m, "key=''");
        world.folder(`containers/${id}`);
        world.write(`containers/${id}/about`, about);
        for (const [file, text] of Object.entries({
          state: "running 0 0 false",
          restart: "no",
          networks: "",
          env: "",
        }))
          world.write(`containers/${id}/${file}`, text === "" ? "" : `${text}\n`);
      },
      ["stray"],
      ["stop ", "rm "],
    ],
  ])("%s", async (_, hand, told, done) => {
    const { world, before, keys, folder } = await found(full());
    const good = serving(world);
    hand({ world, keys, folder });
    const { next, code, output } = await up(world, full());
    expect(kinds(next).sort()).toEqual(told);
    expect(output).not.toMatch(/FAILED|could not/);
    expect(code).toBe(0);
    // The database's password is set whenever it was looked after; that changes nothing here.
    expect(story(world, before, next).sort()).toEqual([...done].sort());
    expect(violations(world)).toEqual([]);
    expect(serving(world)).toEqual({
      ...good,
      current: good.current?.replace("number 1", "number 2").replace("epoch 1", "epoch 2"),
    });

    const again = prepare(world, full(), routesScript(), await world.facts());
    expect(kinds(again)).toEqual([]);
    expect(again.plan.epoch).toBe(next.plan.epoch);
  });

  it("a database removed with its data is made anew, empty: the migration that was done runs again", async () => {
    const { world, before, folder } = await found(full());
    rmSync(join(world.dir, folder("database")), { recursive: true });
    rmSync(join(world.dir, "volumes/database/password"));
    world.write("volumes.list", "");
    const { next, code } = await up(world, full());
    expect(kinds(next).sort()).toEqual(["database data", "database gone"]);
    expect(code).toBe(0);
    expect(story(world, before, next)).toEqual(["start database", "password database", "start api-migrate"]);
    expect(next.lines).toContain("seen volume:shop-test-database shop-test-database 1");
    expect(violations(world)).toEqual([]);

    const again = prepare(world, full(), routesScript(), await world.facts());
    expect(kinds(again)).toEqual([]);
    expect(again.plan.epoch).toBe(next.plan.epoch);
  });

  it.each(["volume ls", "images \\*"])(
    "what an engine that breaks off does not list (%s) is not taken for gone",
    async (call) => {
      const { world } = await found(full());
      world.fault({ call, happens: "fail", words: "Cannot connect to the Docker daemon" });
      const facts = await world.facts();
      expect(facts.errors).toEqual([
        "the Docker engine on the host broke off while it was asked: run this again",
      ]);
    },
  );

  it("a database that hangs is restarted; its back, which was ill for want of it, recovers by itself", async () => {
    const { world, before, folder } = await found(full());
    world.write(`${folder("database")}/health`, "unhealthy\n");
    world.write(`${folder("api")}/health`, "unhealthy\n");
    // Both fail while the database hangs: the fake one answers nobody until it is restarted.
    world.write(`${folder("database")}/acts`, "sick until restart\n");
    const { next, code, output } = await up(world, full());
    expect(kinds(next).sort()).toEqual(["api unhealthy", "database unhealthy"]);
    expect([code, output]).toEqual([0, expect.stringContaining(" restarted")]);
    const calls = story(world, before, next);
    expect(calls).toContain("restart database");
    expect(calls).not.toContain("restart api");
    expect(kinds(prepare(world, full(), routesScript(), await world.facts()))).toEqual([]);
  });

  it("a network that was given up for another one is removed by the next sweep, unless somebody is in it", async () => {
    const { world, folder } = await found(plain());
    const label = "shop/test";
    world.write(
      "networks",
      [
        ...world.lines("networks"),
        `old ${label} n-old`,
        `used ${label} n-used`,
        "other other/stack n-other",
        "",
      ].join("\n"),
    );
    const web = folder("web");
    world.write(`${web}/networks`, `${world.read(`${web}/networks`) ?? ""}used=n-used\n`);
    world.write(`${folder("api")}/state`, "exited 0 0 false\n");
    expect((await up(world, plain())).code).toBe(0);
    expect(world.networks().map(({ name }) => name)).toEqual([EDGE, "used", "other"]);
  });

  it("what Docker calls unhealthy and is well when asked is left alone", async () => {
    const { world, folder } = await found(full());
    world.write(`${folder("api")}/health`, "unhealthy\n");
    const { plan } = prepare(world, full(), routesScript(), await world.facts());
    expect([plan.drift, plan.epoch]).toEqual([[], 1]);
  });

  it("a restart that fails is told, and the next run succeeds", async () => {
    const { world, before, folder } = await found(plain());
    world.write(`${folder("web")}/health`, "unhealthy\n");
    world.write(`${folder("web")}/acts`, "sick until restart\n");
    world.fault({ call: "restart web-*", happens: "fail", words: "did not receive an exit event" });
    const failed = await up(world, plain());
    expect(failed.code).toBe(1);
    expect(failed.output).toMatch(/FAILED: revive web-/);
    expect(failed.output).toContain("NOT HEALTHY after the undo");
    expect(liveRoutes(world).web).toMatch(/^web-/);
    const { next, code } = await up(world, plain());
    expect(code).toBe(0);
    expect(running(world, before, next)).toEqual(["api", "proxy", "web"]);
    expect(violations(world)).toEqual([]);
  });
});

describe.concurrent("a volume that moves to another service", () => {
  const volumes = [{ name: "files", path: "/files" }];
  const of = (name: string, more: object = {}): Config =>
    config({ services: { api: apiService(1), [name]: { ...webService(1), ...more } } });

  it("has one writer at a time, and its old one back when the new one fails", async () => {
    const { world, before } = await found(of("web", { volumes }));
    const next = prepare(world, of("shop", { volumes }), routesScript(), await world.facts());
    const start = serving(world);
    const key = next.keys.find((one) => one.startsWith("shop-")) ?? "";
    world.fault({ call: `start ${key}`, happens: "fail", words: "no such image" });
    const failed = await release(world, next);
    expect(failed.output).toContain(`FAILED: start ${key}`);
    expect(failed.output).not.toContain("could not undo");
    expect(serving(world)).toEqual(start);

    world.write("calls", "");
    expect((await release(world, next)).code).toBe(0);
    const calls = story(world, before, next);
    expect(calls.indexOf("stop old web")).toBeLessThan(calls.indexOf("start new shop"));
    expect(calls.filter((call) => call === "stop old web")).toHaveLength(1);
    expect(running(world, before, next)).toEqual(["api", "new shop", "proxy"]);
    expect(violations(world)).toEqual([]);
  });
});
