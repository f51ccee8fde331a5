import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../plan/config/schema";
import { parseFacts } from "../../plan/found/answer";
import type { Entry } from "../../plan/found/entry";
import { obstacles } from "../../plan/found/ledger";
import { pinned } from "../../plan/release/rollback";
import { prepare, release } from "./lib/release";
import { SCENARIOS, stage } from "./lib/scenarios";
import { whyMissing } from "./lib/shells";
import { plain, stored } from "./lib/stacks";
import { atOnce } from "./lib/wait";
import { removeWorlds, World } from "./lib/world";

// What the host remembers of each release, whatever becomes of it.

afterAll(removeWorlds);

async function ledger(world: World, ...asked: string[]): Promise<readonly Entry[]> {
  return parseFacts((await world.run("facts", asked, 0)).output).ledger;
}

const OTHERS = ["shop/other/web:1", "nginx:1.30-trixie", "postgres:15-bookworm"];

/** Images of the stack's own, as its builds would leave them. */
function withImages(world: World, ...versions: number[]): void {
  const images = versions.flatMap((one) => [`shop/test/web:${one}`, `shop/test/api:${one}`]);
  world.write("images", [...images, ...OTHERS, ""].join("\n"));
}

const built = (version: number, more: Record<string, unknown> = {}): Config =>
  plain(version, version, {
    services: Object.fromEntries(
      Object.entries(plain(version, version).services).map(([name, { port, route, health }]) => [
        name,
        {
          image: `shop/test/${name}:${version}`,
          port,
          route,
          health,
          memory: 32,
          startTimeout: 1,
          stopGrace: 1,
        },
      ]),
    ),
    ...more,
  });

async function deploy(world: World, config: Config): Promise<string> {
  const { code, output } = await release(world, prepare(world, config, undefined, await world.facts()));
  expect(code, output).toBe(0);
  return output;
}

/** The facts that a stack pinned to a release asks for, and what it then deploys. */
async function rollBack(world: World, today: Config, to: number): Promise<Config> {
  const facts = parseFacts((await world.run("facts", [`asked ${to}`], 0)).output);
  return pinned({ ...today, rollbackTo: to }, facts).config;
}

describe.concurrent("the ledger", () => {
  it("has what was done, by whom, from which commit, how long each step took, and what runs", async () => {
    const { world, next } = await stage(SCENARIOS.migration);
    world.write("images", "shop/api:2 sha256:two\n");
    const commit = "commit c0ffee changed ../a b";
    const { code } = await world.run("deploy", [...next.lines, commit]);
    expect(code).toBe(0);
    const [second, first] = await ledger(world, "detail yes");
    expect(first).toMatchObject({ number: 1, after: 0, kind: "deploy", result: "done" });
    expect(second).toMatchObject({
      number: 2,
      release: next.plan.release,
      after: 1,
      kind: "deploy",
      by: "tester@desk",
      result: "done",
      reason: undefined,
      commits: [{ commit: "c0ffee", clean: false, path: "../a b" }],
      serves: next.keys,
      migrations: [{ key: next.keys.find((key) => key.startsWith("api-migrate-")), kind: "expand" }],
      database: { version: 15, volume: "shop-test-database" },
      undone: [],
    });
    expect(second?.images.get("shop/api:2")).toBe("sha256:two");
    expect(second?.steps.map(({ what }) => what)).toEqual(
      next.plan.steps.map(({ verb, arguments: words }) => [verb, ...words].join(" ")),
    );
    expect(second?.steps.every(({ seconds }) => seconds >= 0)).toBe(true);
    expect(Number(second?.ended)).toBeGreaterThanOrEqual(Number(second?.began));
    expect((await world.facts()).current?.number).toBe(2);
  });

  it("has the names of the secrets, without the config, for whoever asks which releases are ready", async () => {
    const world = World.create();
    withImages(world, 1);
    const { api, web } = built(1).services;
    const services = { api: { ...api, secrets: { TOKEN: "hunter2", KEY: "hunter3" } }, web };
    await deploy(world, built(1, { services, identityKey: "k".repeat(40) }));
    const { output } = await world.run("facts", [], 0);
    expect(output).not.toMatch(/hunter|^ledger \d+ config/m);
    const facts = parseFacts(output);
    const [first] = facts.ledger;
    expect(first?.secrets).toEqual([
      { service: "api", name: "TOKEN" },
      { service: "api", name: "KEY" },
    ]);
    expect(first && obstacles(first, facts, built(1))).toEqual([
      expect.stringMatching(
        /^it needs services\.api\.secrets\.TOKEN, which is not in the config any more: set/,
      ),
      expect.stringMatching(/^it needs services\.api\.secrets\.KEY, /),
    ]);
  });

  it("knows of a migration, on the disk, before it runs", async () => {
    const { world, next } = await stage(SCENARIOS.migration);
    world.tool(
      "sync",
      `#!/bin/sh
case $1 in */steps) { cat "$1"; grep "start api-migrate" "$FAKE_WORLD/calls"; } >>"$FAKE_WORLD/synced" ;; esac
exit 0
`,
    );
    expect((await release(world, next)).code).toBe(0);
    const key = next.keys.find((one) => one.startsWith("api-migrate-")) ?? "";
    const synced = world.lines("synced");
    expect(synced.at(-1)).toBe(`migrating ${key} expand`);
    expect(synced.filter((line) => line.startsWith("start "))).toEqual([]);
    expect(world.lines("calls")).toContain(`start ${key}`);
  });

  it.each([
    [
      "written",
      "mv",
      `case $2 in */ledger/2) mkdir "$(sed -n 's/^run //p' "$1")/steps" ;; esac\nexec /bin/mv "$@"`,
    ],
    ["brought to the disk", "sync", "case $1 in */steps) exit 1 ;; esac"],
  ])("runs no migration that cannot be %s in it", async (_, tool, script) => {
    const { world, next } = await stage(SCENARIOS.migration);
    world.tool(tool, `#!/bin/sh\n${script}\n`);
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toMatch(/cannot note the migration in \S+ on the host: is its disk full\? It was not run/);
    expect(world.lines("calls").filter((call) => call.startsWith("start api-migrate"))).toEqual([]);
    expect((await world.facts()).current?.number).toBe(1);
  });

  it("is told without the sizes of images where the engine takes long to add them up", async () => {
    const { world } = await stage(SCENARIOS.one);
    world.write("images", "shop/web:1 sha256:one\n");
    const asked = async () => parseFacts((await world.run("facts", ["detail yes"], 0)).output);
    expect((await asked()).ownLayers.size).toBe(1);
    world.tool(
      "timeout",
      `#!/bin/sh
case "$*" in *" docker system df "*) echo "$3" >"$FAKE_WORLD/limit"; exit 124 ;; esac
exec /usr/bin/timeout "$@"
`,
    );
    const { ledger: entries, ownLayers } = await asked();
    expect(entries).toHaveLength(1);
    expect(ownLayers.size).toBe(0);
    // host/askFacts.ts gives up after a minute.
    expect(Number(world.read("limit"))).toBeLessThan(50);
  });

  it("has why one failed and what was undone, and the log says it in a line", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    const web = next.keys.find((key) => key.startsWith("web-")) ?? "";
    world.behave(web, "sick");
    expect((await release(world, next)).code).toBe(1);
    const [failed] = await ledger(world, "detail yes");
    expect(failed).toMatchObject({ number: 2, result: "failed", images: new Map() });
    expect(failed?.reason).toMatch(new RegExp(`^FAILED: healthy ${web}\n.*did not become healthy`));
    expect(failed?.undone).toContain(`start ${web}`);
    const lines = world.lines("deploy.log").map((line) => line.replace(/^.* shop\/test /, ""));
    expect(lines.slice(-2)).toEqual([
      `release 2 begins (deploy, ${next.plan.release}), by tester@desk`,
      `release 2 FAILED: healthy ${web}; release 1 serves, as before`,
    ]);
    expect((await world.facts()).current?.number).toBe(1);
  });

  it("is whole after kill -9 at each of its writes, and the next release knows what became of it", async () => {
    const { world, next } = await stage(SCENARIOS.one);
    const moments = (["begin", "end"] as const).flatMap((write) =>
      (["before", "after"] as const).flatMap((when) =>
        (["alone", "group"] as const).map((who) => [write, when, who]),
      ),
    );
    await atOnce(2, moments, async ([write, when, who]) => {
      const host = world.clone();
      const nth = write === "begin" ? 1 : 2;
      host.tool(
        "mv",
        `#!/bin/sh
world=$FAKE_WORLD
. ${resolve(__dirname, "fake-docker/engine/world.sh")}
case $2 in */ledger/2)
  echo >>$world/ledger-writes
  if [ $(wc -l <$world/ledger-writes) = ${nth} ]; then
    ${when === "after" ? '/bin/mv "$@"' : ":"}
    slay ${who}
  fi ;;
esac
exec /bin/mv "$@"
`,
      );
      const where = `killed ${when} the write at the ${write}, ${who}`;
      await release(host, next);
      host.tool("mv", `#!/bin/sh\nexec /bin/mv "$@"\n`);
      const { code, output } = await release(host, prepare(host, SCENARIOS.one.to));
      expect(code, `${where}\n${output}`).toBe(0);
      const entries = await ledger(host);
      const recorded = write === "end";
      expect(
        entries.map(({ number, result }) => `${number} ${result}`),
        where,
      ).toEqual(
        write === "begin" && when === "before"
          ? ["2 done", "1 done"]
          : ["3 done", recorded ? "2 done" : "2 interrupted", "1 done"],
      );
      expect((await host.facts()).current?.number, where).toBe(entries[0]?.number);
    });
  });

  it("keeps a hundred, and the numbers go on", async () => {
    const { world } = await stage(SCENARIOS.one);
    for (let number = 2; number <= 120; number++) {
      world.write(`state/test/ledger/${number}`, `release 0\nbegan 1\nresult failed\n`);
    }
    await deploy(world, plain(2));
    const entries = await ledger(world);
    expect(entries).toHaveLength(100);
    expect(entries[0]).toMatchObject({ number: 121, result: "done" });
  });

  it("that cannot be written keeps a release from beginning, with nothing changed", async () => {
    const { world, next } = await stage(SCENARIOS.one);
    world.tool("sync", "#!/bin/sh\nexit 0\n");
    world.tool("mv", `#!/bin/sh\ncase $2 in */ledger/*) exit 1 ;; esac\nexec /bin/mv "$@"\n`);
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain("ledger on the host: is its disk full? Nothing was changed.");
    expect(output).not.toMatch(/sed:|could not write/);
    expect(world.lines("deploy.log").at(-1)).toMatch(/a deploy by tester@desk was refused: cannot write /);
    expect(world.lines("calls")).toEqual([]);
  });

  it("is closed at once when only the runner was killed, after it had done all but that", async () => {
    const { world, next } = await stage(SCENARIOS.one);
    world.tool(
      "mv",
      `#!/bin/sh
world=$FAKE_WORLD
. ${resolve(__dirname, "fake-docker/engine/world.sh")}
case $2 in */ledger/2)
  echo >>$world/ledger-writes
  if [ $(wc -l <$world/ledger-writes) = 2 ]; then slay alone; fi ;;
esac
exec /bin/mv "$@"
`,
    );
    expect((await release(world, next)).code).toBe(1);
    expect((await ledger(world)).map(({ number, result }) => `${number} ${result}`)).toEqual([
      "2 done",
      "1 done",
    ]);
    expect(world.lines("deploy.log").at(-1)).toContain("release 2 serves");
  });

  it("tells of a run that was killed while it was taken back why it failed, and nothing that containers said", async () => {
    const { world } = await stage(SCENARIOS.one);
    const left = (number: number, log: string): void => {
      world.folder(`state/test/runs/left-${number}`);
      world.write(`state/test/runs/left-${number}/log`, log);
      world.write(
        `state/test/ledger/${number}`,
        `run ${world.dir}/state/test/runs/left-${number}\nrelease 0\nbegan 1\nresult running\n`,
      );
    };
    left(2, "  last lines of web:\n    | password hunter2\nweb started (1.0 s)\n");
    left(3, "");
    world.write("state/test/runs/left-3/reason", "FAILED: healthy web\n");
    await deploy(world, plain(2));
    const [, third, second] = await ledger(world);
    expect(third).toMatchObject({ number: 3, result: "failed", reason: "FAILED: healthy web" });
    expect(second).toMatchObject({ number: 2, result: "interrupted", reason: "web started (1.0 s)" });
  });
});

describe.concurrent("going back", () => {
  it("to a release that is kept: its config and images, no migration, the same undo", async () => {
    const world = World.create();
    world.write("images", [...OTHERS, "shop/api:1", "shop/api:2", ""].join("\n"));
    await deploy(world, stored(1));
    await deploy(world, stored(2));
    const config = await rollBack(world, stored(2), 1);
    const facts = await world.facts();
    const next = prepare(world, config, undefined, facts);
    expect(next.plan.kind).toBe("rollback");
    const { code, output } = await world.run(
      "deploy",
      next.lines.filter((line) => !line.startsWith("do migrate")),
    );
    expect(code, output).toBe(0);
    expect((await ledger(world))[0]).toMatchObject({
      number: 3,
      kind: "rollback",
      to: 1,
      after: 2,
      result: "done",
    });
    expect(world.lines("deploy.log").at(-2)).toMatch(
      /release 3 begins \(back to release 1, .*\), by tester@desk$/,
    );
  });

  it("images stay of as many releases as are kept, and of nobody else's any goes", async () => {
    const world = World.create();
    withImages(world);
    for (const version of [1, 2, 3, 4]) {
      world.write(
        "images",
        `${world.read("images") ?? ""}shop/test/api:${version}\nshop/test/web:${version}\n`,
      );
      await deploy(world, built(version, { keep: 2 }));
    }
    expect(
      world
        .images()
        .map(([tag]) => tag)
        .sort(),
    ).toEqual([
      ...OTHERS.slice(1),
      "shop/other/web:1",
      "shop/test/api:3",
      "shop/test/api:4",
      "shop/test/web:3",
      "shop/test/web:4",
    ]);
    const facts = await world.facts();
    expect(
      facts.ledger.map((entry) => [entry.number, obstacles(entry, facts, built(4)).length === 0]),
    ).toEqual([
      [4, true],
      [3, true],
      [2, false],
      [1, false],
    ]);
    await expect(rollBack(world, built(4), 1)).rejects.toThrow(
      /rollbackTo: release 1 cannot be gone back to: its image shop\/test\/api:1 is gone from the host; ready are 4, 3/,
    );
    await expect(rollBack(world, built(4), 9)).rejects.toThrow(
      "rollbackTo: release 9 is not on record; ready are 4, 3",
    );
  });

  it("a release that failed takes no image away", async () => {
    const world = World.create();
    withImages(world, 1, 2, 3);
    for (const version of [1, 2]) await deploy(world, built(version, { keep: 2 }));
    withImages(world, 2, 3);
    const next = prepare(world, built(3, { keep: 2 }), undefined, await world.facts());
    world.behave(next.keys.find((key) => key.startsWith("web-")) ?? "", "sick");
    expect((await release(world, next)).code).toBe(1);
    expect(world.images()).toHaveLength(4 + OTHERS.length);
  });
});

const SHELLS = (["dash", "bash", "busybox"] as const).filter((shell) => whyMissing(shell) === undefined);

describe.concurrent("the deploy log", () => {
  it("is turned over when it is large, and four old ones stay", async () => {
    const { world, next } = await stage(SCENARIOS.one);
    const large = `${"x".repeat(1023)}\n`.repeat(1024);
    world.write("deploy.log", large);
    for (const old of [1, 2, 3, 4]) world.write(`deploy.log.${old}`, `${old}\n`);
    expect((await release(world, next)).code).toBe(0);
    expect(world.lines("deploy.log")).toHaveLength(2);
    expect(world.read("deploy.log.1")).toBe(large);
    expect([2, 3, 4].map((old) => world.read(`deploy.log.${old}`))).toEqual(["1\n", "2\n", "3\n"]);
  });

  it.each(SHELLS)(
    "of this user in a folder of another is cut to its newer half, in whole lines: %s",
    async (shell) => {
      const { world, next } = await stage(SCENARIOS.one, shell);
      const line = (i: number): string => `${i} ${"x".repeat(100)} it's "50%" \\n`;
      const old = Array.from({ length: 12_000 }, (_, i) => line(i));
      world.write("deploy.log", `${old.join("\n")}\n`);
      world.tool("mv", `#!/bin/sh\ncase $1 in */deploy.log*) exit 1 ;; esac\nexec /bin/mv "$@"\n`);
      const { code, output } = await release(world, next);
      expect(code).toBe(0);
      expect(output).not.toContain("cannot write the deploy log");
      const text = world.read("deploy.log") ?? "";
      expect(text.length).toBeGreaterThan(500 * 1024);
      expect(text.length).toBeLessThan(513 * 1024);
      const left = world.lines("deploy.log");
      expect(left.slice(0, -2)).toEqual(old.slice(-(left.length - 2)));
      expect(left.slice(-2)).toEqual([
        expect.stringMatching(/release 2 begins/),
        expect.stringMatching(/release 2 serves/),
      ]);
    },
  );

  it("that cannot be written is said, and no reason to fail", async () => {
    const { world, next } = await stage(SCENARIOS.one);
    rmSync(join(world.dir, "deploy.log"));
    world.folder("deploy.log");
    const { code, output } = await release(world, next);
    expect(code).toBe(0);
    expect(output.split("\n").filter((line) => line.includes("cannot write the deploy log"))).toHaveLength(1);
  });

  it("tells what failed before the release began on the host", async () => {
    const world = World.create();
    const note = Buffer.from("the build of api failed, by me").toString("base64");
    expect((await world.run("note", [`note ${note}`])).code).toBe(0);
    expect(world.lines("deploy.log")).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ shop\/test the build of api failed, by me$/),
    ]);
  });
});
