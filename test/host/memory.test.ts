import { afterAll, describe, expect, it } from "vitest";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { plain, stored } from "./lib/stacks";
import { removeWorlds, type World } from "./lib/world";

// What the runner keeps of images and builds, and the memory that it counts again before it starts anything.

afterAll(removeWorlds);

const FAKE_DOCKER = join(__dirname, "fake-docker", "docker");
const running = (world: World): string[] =>
  world
    .containers()
    .filter(({ state }) => state === "running")
    .map(({ key }) => key)
    .sort();

describe.concurrent("a release remembers", () => {
  it("each image by its ID, or by its tag where the host has none", async () => {
    const { world } = await serves(plain());
    world.write("images", "shop/test/web:1 sha256:9\nother/test/api:1 sha256:8\n");
    const next = prepare(world, plain(2));
    const lines = [
      ...next.lines,
      "seen image:shop/test/web:1 shop/test/web:1 3",
      "seen image:shop/test/api:1 shop/test/api:1 0",
    ];
    expect((await world.run("deploy", lines)).code).toBe(0);
    const { seen } = await world.facts();
    expect(seen.get("image:shop/test/web:1")).toEqual({ id: "sha256:9", generation: 3 });
    expect(seen.get("image:shop/test/api:1")).toEqual({ id: "shop/test/api:1", generation: 0 });
    for (const key of next.keys) expect(seen.get(key)?.id).toMatch(/^[0-9a-f]{64}$/);
  });

  it("the most that the builds of each service took", async () => {
    const { world } = await serves(plain());
    const after = async (version: number, ...measured: string[]) => {
      const { lines } = prepare(world, plain(version));
      expect((await world.run("deploy", [...lines, ...measured])).code).toBe(0);
      return Object.fromEntries((await world.facts()).buildNeeds);
    };
    expect(await after(2, "measured web 210", "measured api 40")).toEqual({ web: 210, api: 40 });
    expect(await after(3, "measured web 5", "measured api 300")).toEqual({ web: 210, api: 300 });
    expect(await after(4)).toEqual({ web: 210, api: 300 });
  });
});

describe.concurrent("memory is counted again", () => {
  it("before a release: where all that it starts has room, it goes on", async () => {
    const { world } = await serves(plain());
    const next = prepare(world, plain(2, 2));
    expect(Object.values(next.plan.needs)).toEqual([32, 32]);
    // Both start before either of the old ones stops.
    world.putMemory(1024, 64);
    const { code, output } = await release(world, next);
    expect([code, output]).toEqual([0, expect.stringContaining("requests go to the new release")]);
    expect(violations(world)).toEqual([]);
  });

  it.each([
    ["web", plain(2, 2), 63],
    ["web", plain(2), 31],
    ["api-migrate", stored(2), 31],
  ])(
    "and where it has not, nothing is changed, and it says what is missing (%s)",
    async (name, config, free) => {
      const { world, before } = await serves(name === "web" ? plain() : stored());
      const next = prepare(world, config);
      const [current, serving] = [world.read("state/test/current"), running(world)];
      world.write("calls", "");
      world.putMemory(1024, free);
      const { code, output } = await release(world, next);
      expect(code).toBe(1);
      expect(output).toMatch(
        new RegExp(
          `the host has too little memory for ${name}-[0-9a-f]{12} just now: it may take 32 MiB, 31 of 1024 MiB are free ` +
            String.raw`\(1 MiB too little\)\n  most is used by: .+ \d+ MiB, .+ \d+ MiB, .+ \d+ MiB\n`,
        ),
      );
      expect(output).toContain("Nothing was changed.");
      expect(world.lines("calls")).toEqual([]);
      expect(world.read("state/test/current")).toBe(current);
      expect(world.read("state/test/journal")).toBeUndefined();
      expect(running(world)).toEqual(serving);
      expect(running(world).every((key) => before.keys.includes(key))).toBe(true);
      expect(world.lockIsFree()).toBe(true);
      // And when there is room again, it is done.
      world.putMemory(1024, 500);
      expect((await release(world, prepare(world, config))).code).toBe(0);
      expect(violations(world)).toEqual([]);
    },
  );

  it("at each start: memory that others took meanwhile takes the release back", async () => {
    const { world } = await serves(plain());
    const next = prepare(world, plain(2, 2));
    const serving = running(world);
    world.putMemory(1024, 64);
    world.tool(
      "docker",
      `#!/bin/sh
if [ "$1" = start ]; then printf 'MemTotal: 1048576 kB\\nMemAvailable: 20480 kB\\n' >"$FAKE_WORLD/meminfo"; fi
exec '${FAKE_DOCKER}' "$@"
`,
    );
    const { code, output } = await release(world, next);
    expect(code).toBe(1);
    expect(output).toMatch(
      /too little memory for (web|api)-[0-9a-f]{12} just now: it may take 32 MiB, \d+ of 1024/,
    );
    expect(output).toContain("taking the release back");
    expect(output).toContain("serves, as before");
    expect(running(world)).toEqual(serving);
    expect(violations(world)).toEqual([]);
  });

  it("what is stopped first makes room for its successor", async () => {
    const stopFirst = (version: number) =>
      plain(version, 1, {
        services: {
          web: { ...plain(version).services.web, order: "stop-first" },
          api: plain().services.api,
        },
      });
    const { world } = await serves(stopFirst(1));
    const next = prepare(world, stopFirst(2));
    // As far as cgroups tell, each container uses 20 MiB.
    mkdirSync(join(world.dir, "cgroup"));
    world.write("cgroup/memory.stat", "inactive_file 0\nactive_file 0\n");
    world.write("cgroup/memory.current", `${20 * 1024 * 1024}\n`);
    world.tool(
      "docker",
      `#!/bin/sh
if [ "$1" = stop ]; then printf 'MemTotal: 1048576 kB\\nMemAvailable: 32768 kB\\n' >"$FAKE_WORLD/meminfo"; fi
exec '${FAKE_DOCKER}' "$@"
`,
    );
    world.putMemory(1024, 11);
    const low = await release(world, next);
    expect([low.code, low.output]).toEqual([
      1,
      expect.stringContaining("it may take 32 MiB, 31 of 1024 MiB are free"),
    ]);
    expect(low.output).toContain("Nothing was changed.");
    world.putMemory(1024, 12);
    const enough = await release(world, prepare(world, stopFirst(2)));
    expect([enough.code, enough.output]).toEqual([
      0,
      expect.stringContaining("requests go to the new release"),
    ]);
    expect(violations(world)).toEqual([]);
  });

  it("not at all where the plan knew nothing of the host's memory", async () => {
    const { world } = await serves(plain());
    const { lines } = prepare(world, plain(2));
    world.putMemory(1024, 1);
    const { code } = await world.run(
      "deploy",
      lines.filter((line) => !line.startsWith("need ")),
    );
    expect(code).toBe(0);
  });
});
