import { rmSync, symlinkSync } from "node:fs";
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
