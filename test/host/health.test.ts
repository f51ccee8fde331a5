import { afterAll, describe, expect, it } from "vitest";
import { type Config, schema } from "../../plan/config/schema";
import { deployed, prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { apiService, config, plain, stored, storingService, webService } from "./lib/stacks";
import { eventually } from "./lib/wait";
import { removeWorlds, World } from "./lib/world";

// What a new version can do instead of becoming healthy, and what is said of it.

afterAll(removeWorlds);

async function broken(
  how: string,
  to: Config = plain(2),
  service = "web",
): Promise<{ output: string; seconds: number }> {
  const { world, before } = await serves(plain());
  const start = serving(world);
  const next = prepare(world, to);
  world.behave(next.keys.find((key) => key.startsWith(`${service}-`)) ?? "", how);
  const began = Date.now();
  const { code, output } = await release(world, next);
  expect(code).toBe(1);
  expect(serving(world)).toEqual(start);
  expect(violations(world)).toEqual([]);
  expect(output).toContain(`release ${before.plan.release} serves, as before`);
  return { output: output.replace(/-[0-9a-f]{12}/g, ""), seconds: (Date.now() - began) / 1000 };
}

const slowToGiveUp = plain(2, 1, {
  services: { web: { ...webService(2), startTimeout: 600 }, api: apiService(1) },
});

describe.concurrent("a new version that", () => {
  it("answers 503: told at the deadline, with its last log lines", async () => {
    const { output } = await broken("sick");
    expect(output).toContain(
      "web did not become healthy within 1 s: http://web:3001/health answers 503 (asked as http://shop.example)\n",
    );
    expect(output).toContain("  last lines of web:\n    | listening, says 2\n");
  });

  it("knows its names, and forces https: it is asked as a visitor asks", async () => {
    const tls = { folder: "/etc/certs", certificate: "a", key: "b" };
    const { world } = await serves(plain(1, 1, { tls }));
    const next = prepare(world, plain(2, 1, { tls }));
    const web = next.keys.find((key) => key.startsWith("web-")) ?? "";
    world.behave(web, "knows https://shop.example");
    expect((await release(world, next)).code).toBe(0);
    const object = world.lines("state/test/current").filter((line) => line.startsWith("object "));
    expect(await world.run("check", [`key ${web}`, ...object])).toEqual({
      code: 0,
      output: "web is healthy\n",
    });
  });

  it("is asked again where the engine fails to start the question", async () => {
    const { world } = await serves(plain());
    const proxy = world.containers().find(({ key }) => key.startsWith("proxy-"))?.key ?? "";
    world.write(`${world.containerOf(proxy)}/unstarted`, "2\n");
    expect((await release(world, prepare(world, plain(2)))).code).toBe(0);
    world.write(`${world.containerOf(proxy)}/unstarted`, "4\n");
    const { code, output } = await release(world, prepare(world, plain(3)));
    expect(code).toBe(1);
    expect(output).toContain("did not become healthy within 1 s: OCI runtime exec failed: ");
  });

  it("does not answer", async () => {
    const { output } = await broken("mute");
    expect(output).toContain(
      "web did not become healthy within 1 s: http://web:3001/health does not answer\n",
    );
  });

  it("takes its time, but is there before the deadline", async () => {
    const { world } = await serves(plain());
    const next = prepare(world, slowToGiveUp);
    world.behave(next.keys.find((key) => key.startsWith("web-")) ?? "", "slow 4");
    expect((await release(world, next)).code).toBe(0);
    expect(world.lines("asked").filter((call) => call.startsWith("poll"))).not.toEqual([]);
  });

  it("crashes: told at once, whatever the deadline", async () => {
    const { output, seconds } = await broken("crash", slowToGiveUp);
    expect(output).toContain("web stopped by itself (exited, exit code 3)\n");
    expect(seconds).toBeLessThan(20);
  });

  it("stops while it is asked: nobody asks on for the ten minutes that it had", async () => {
    const { world } = await serves(plain());
    const next = prepare(world, slowToGiveUp);
    const web = next.keys.find((key) => key.startsWith("web-")) ?? "";
    world.behave(web, "mute");
    const run = world.start("deploy", next.lines);
    await eventually(() => {
      expect(world.lines("asked").join()).toContain(`http://${web}:`);
    });
    world.putState(web, "exited 0 1 false");
    expect((await run.ended).code).toBe(1);
    await eventually(() => {
      expect(world.processes()).toEqual([]);
    }, 15);
  });

  it("is restarted by the engine: told at once", async () => {
    const { output, seconds } = await broken("restart", slowToGiveUp);
    expect(output).toContain("web stopped by itself (restarting, exit code 3)\n");
    expect(seconds).toBeLessThan(20);
  });

  it("outgrows its memory limit", async () => {
    expect((await broken("oom", slowToGiveUp)).output).toContain(
      "web was killed: it needs more memory than its limit\n",
    );
  });

  it("outgrows its memory limit, and the engine has started it again: told what it was", async () => {
    expect((await broken("oom-again", slowToGiveUp)).output).toContain(
      "web was killed: it needs more memory than its limit\n",
    );
  });

  it("is removed by hand meanwhile", async () => {
    expect((await broken("vanish", slowToGiveUp)).output).toContain(
      "web stopped by itself (gone, exit code ?)\n",
    );
  });

  it("is healthy but fails its smoke test: told with what it answered and the logs of what was started", async () => {
    const { output } = await broken("broken", plain(2, 2), "api");
    expect(output).toContain("GET /api/things answers 500, wanted 200\n");
    expect(output).toContain("TypeError: undefined is not a function in api\n");
    expect(output).toContain("  last lines of api:\n");
    expect(output).toContain("  last lines of web:\n");
    expect(output).toContain("FAILED: smoke candidate\n");
  });

  it("is the second of two: neither is replaced", async () => {
    const { output } = await broken("sick", plain(2, 2), "web");
    expect(output).toContain("FAILED: healthy web\n");
  });
});

describe.concurrent("a health command", () => {
  const withCommand = (healthCommand: string): Config =>
    schema.parse(
      config({
        services: {
          web: webService(1),
          api: apiService(1),
          worker: {
            image: "shop/worker:1",
            memory: 16,
            env: { GREETING: `it's "fine" for $5` },
            healthCommand,
            startTimeout: 1,
          },
        },
      }),
    );

  it("keeps its quotes, dollars and lines", async () => {
    const world = World.create();
    const command = `# it's a comment\nwanted="it's \\"fine\\" for \\$5"\n[ "$GREETING" = "$wanted" ] &&\n  pg_isready`;
    await deployed(world, withCommand(command));
    expect(violations(world)).toEqual([]);
  });

  it("that fails is quoted with what it said", async () => {
    const world = World.create();
    const next = prepare(world, withCommand(`echo "not yet: 'all' $((1 + 1))"; exit 1`));
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toMatch(
      /worker-\w+ did not become healthy within 1 s: the health command fails: not yet: 'all' 2\n/,
    );
  });

  it("that hangs is not waited for", async () => {
    const world = World.create();
    const began = Date.now();
    const { code, output } = await release(world, prepare(world, withCommand("sleep 100")));
    expect(code).toBe(1);
    expect(output).toMatch(/worker-\w+ did not become healthy within 1 s: the health command does not end\n/);
    expect((Date.now() - began) / 1000).toBeLessThan(40);
  });
});

describe.concurrent("an undo", () => {
  it("that does not bring back what served says so, and what to look at", async () => {
    const stopFirst = (api: number): Config =>
      config({ services: { web: webService(1), api: { ...apiService(api), order: "stop-first" } } });
    const { world, before } = await serves(stopFirst(1));
    const next = prepare(world, stopFirst(2));
    const key = (keys: readonly string[]): string => keys.find((one) => one.startsWith("api-")) ?? "";
    world.behave(key(next.keys), "crash");
    world.behave(key(before.keys), "sick");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain(`could not undo stop ${key(before.keys)}`);
    expect(output).toContain("NOT HEALTHY after the undo: ");
    expect(output).toContain("see 'docker ps -a' and 'docker logs' on the host\n");
    expect(serving(world)).toMatchObject({ journal: undefined, lockIsFree: true });
  });

  it("of an interrupted release that does not bring back what served says so too", async () => {
    const { world, before } = await serves(plain());
    const next = prepare(world, plain(2));
    world.fault({ call: "start web-*", happens: "slay-after", words: "group" });
    expect((await release(world, next)).code).toBe(1);
    world.behave(before.keys.find((key) => key.startsWith("api-")) ?? "", "sick");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain("an earlier release was interrupted: taking it back\n");
    expect(output).toContain("NOT HEALTHY after the undo: ");
    expect(output).toMatch(/run 'pulumi up' again, or revert the change\.\n$/);
  });

  it("gives the database its old password back", async () => {
    const { world, before } = await serves(stored());
    const start = serving(world);
    const next = prepare(world, stored(1, { passwordVersion: 2 }));
    world.behave(next.keys.find((key) => /^api-[0-9a-f]{12}$/.test(key)) ?? "", "crash");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain(`release ${before.plan.release} serves, as before`);
    expect(world.read("volumes/database/password")).toBe("app pass-word-1\n");
    expect(serving(world)).toEqual(start);
  });
});

describe.concurrent("a migration", () => {
  it("that fails ends the release with its words, before anything is switched", async () => {
    const { world } = await serves(stored());
    const start = serving(world);
    const next = prepare(world, stored(2));
    world.behave(next.keys.find((key) => key.startsWith("api-migrate-")) ?? "", "exit 7");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain('    | migrating with 2\n    | relation "deals" does not exist\n');
    expect(output).toContain("the migration failed (exit code 7)\n");
    expect(serving(world)).toEqual(start);
  });

  it("that does not end is stopped at its deadline", async () => {
    const { world } = await serves(stored());
    const start = serving(world);
    const next = prepare(world, hurried);
    world.behave(next.keys.find((key) => key.startsWith("api-migrate-")) ?? "", "endless");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain("the migration did not end within 1 s and was stopped\n");
    expect(serving(world)).toEqual(start);
  });
  const hurried = config({
    services: { api: { ...storingService(2), migrateTimeout: 1 } },
    database: { version: 15, memory: 64, startTimeout: 1, stopGrace: 3 },
  });
});
