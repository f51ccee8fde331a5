import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepare, release } from "./lib/release";
import { SCENARIOS, serves, stage } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { plain } from "./lib/stacks";
import { removeWorlds, type World } from "./lib/world";

// A disk that is full at the worst moment, and writes that are cut short.

afterAll(removeWorlds);

/** Every write to this file fails as on a full disk. */
function full(world: World, file: string): () => void {
  const path = join(world.dir, file);
  symlinkSync("/dev/full", path);
  return () => {
    rmSync(path, { force: true });
  };
}

describe.concurrent("a disk that is full", () => {
  it("when the journal is opened: nothing is changed", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    const start = serving(world);
    const clear = full(world, "state/test/journal.new");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toMatch(/cannot write \S+ on the host: is its disk full\? Nothing was changed\.\n$/);
    expect(world.lines("calls")).toEqual([]);
    expect(serving(world)).toEqual(start);
    clear();
    expect((await release(world, next)).code).toBe(0);
  });

  it("when the release is recorded: it is taken back, and the old record stands whole", async () => {
    const { world, before, next } = await stage(SCENARIOS.both);
    const start = serving(world);
    const clear = full(world, "state/test/current.new");
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain("FAILED: record");
    expect(output).toContain(`release ${before?.plan.release ?? ""} serves, as before`);
    expect(serving(world)).toEqual(start);
    clear();
    expect((await release(world, next)).code).toBe(0);
    expect(violations(world)).toEqual([]);
  });

  it("when a proxy's file is copied: an older copy is not installed in its place", async () => {
    const { world, next } = await stage(SCENARIOS.first);
    world.write("bin/cp", "");
    world.tool(
      "cp",
      `#!/bin/sh\ncase $2 in */proxy/.nginx.conf) echo "cp: No space left on device" >&2; exit 1 ;; esac\nexec /bin/cp "$@"\n`,
    );
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toContain("FAILED: site site");
    expect(world.read("volumes/proxy/nginx.conf")).toBeUndefined();
  });
});

describe.concurrent("a disk that fills up during a release", () => {
  it("does not empty what has to be undone, and is told as the cause", async () => {
    const { world, next } = await stage(SCENARIOS.exchange);
    const start = serving(world);
    // From the moment at which the new version is started, nothing more can be written beside the log.
    world.tool(
      "cp",
      `#!/bin/sh\ngrep -qs '^begin .* smoke ' "$FAKE_WORLD/state/test/journal" && [ -e "$FAKE_WORLD/full" ] && exit 1\nexec /bin/cp "$@"\n`,
    );
    world.tool(
      "head",
      `#!/bin/sh\ncase "$1 $2" in '-c 8192') [ ! -e "$FAKE_WORLD/full" ] || exit 1 ;; esac\nexec /usr/bin/head "$@"\n`,
    );
    world.write("full", "");
    world.fault({ call: "smoke *", happens: "fail", words: "no space left on device" });
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toMatch(/the host's disk is full: free space there .*\nFAILED: smoke candidate\n/);
    expect(output).toMatch(/ serves, as before: /);
    expect(serving(world)).toEqual(start);
    rmSync(join(world.dir, "full"));
    expect((await release(world, next)).code).toBe(0);
    expect(violations(world)).toEqual([]);
  });
});

describe.concurrent("a clock that was set back by an hour", () => {
  it("does not make the newest dump the oldest", async () => {
    const { world, next } = await stage(SCENARIOS.database);
    for (const name of ["a", "b", "c", "d"]) {
      mkdirSync(join(world.dir, "state/test/backup"), { recursive: true });
      world.write(`state/test/backup/${name}.dump`, "PGDMP");
      const later = Date.now() / 1000 + 3600;
      utimesSync(join(world.dir, `state/test/backup/${name}.dump`), later, later);
    }
    const { code, output } = await release(world, next);
    expect(code, output).toBe(0);
    const [, dump = ""] = /dump of the database: (\S+)/.exec(output) ?? [];
    expect(existsSync(dump), dump).toBe(true);
  });

  it("does not make the run in progress the oldest", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    const later = Date.now() / 1000 + 3600;
    for (let n = 0; n < 12; n += 1) {
      mkdirSync(join(world.dir, `state/test/runs/later-${n}`), { recursive: true });
      utimesSync(join(world.dir, `state/test/runs/later-${n}`), later, later);
    }
    const { code, output } = await release(world, next);
    expect(code, output).toBe(0);
    expect(output).toContain("the new release stays healthy");
    const runs = readdirSync(join(world.dir, "state/test/runs"));
    expect(runs.filter((run) => !run.startsWith("later-"))).toHaveLength(1);
  });
});

describe.concurrent("a kill in the middle of a copy", () => {
  it("that was to be put back later: the half copy is not put back", async () => {
    const { world } = await serves(plain());
    const start = serving(world);
    const next = prepare(world, plain(2));
    // The runner dies when its copy of routes.json has begun and holds nothing yet.
    world.tool(
      "cp",
      `#!/bin/sh
case "$1 $2" in
  */proxy/routes.json*/undo.*)
    : >"$2"
    world=$FAKE_WORLD
    . ${join(__dirname, "fake-docker/engine/world.sh")}
    slay group
    ;;
esac
exec /bin/cp "$@"
`,
    );
    expect((await release(world, next)).code).toBe(1);
    world.tool("cp", `#!/bin/sh\nexec /bin/cp "$@"\n`);
    const back = prepare(world, plain());
    expect((await release(world, back)).code).toBe(0);
    expect(serving(world).proxy).toEqual(start.proxy);
  });
});

describe.concurrent("a release of a newer program", () => {
  it("that fails puts the older program's script back into nginx", async () => {
    const { world } = await serves(plain());
    const start = serving(world);
    const next = prepare(world, SCENARIOS.script.to, SCENARIOS.script.script);
    world.fault({ call: "smoke *", happens: "fail", words: "OCI runtime exec failed" });
    expect((await release(world, next)).code).toBe(1);
    expect(serving(world)).toEqual(start);
    expect(start.proxy?.loadedScript).toBe(start.proxy?.script);
  });
});
