import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostScript } from "../../host/bundle";
import { parseFacts } from "../../plan/found/answer";
import { type Facts } from "../../plan/found/facts";
import { prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { pathOf } from "./lib/shells";
import { full, plain } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// What the host tells, as the plan reads it.

afterAll(removeWorlds);

describe.concurrent("the facts", () => {
  it("of an empty host", async () => {
    const world = World.create();
    expect(await world.facts()).toMatchObject({
      known: true,
      errors: [],
      platform: "linux/amd64",
      active: undefined,
      interrupted: false,
      containers: [],
      images: new Map(),
      current: undefined,
    });
    expect(world.read("state/test")).toBeUndefined();
    expect(violations(world)).toEqual([]);
  });

  it("of a host on which a release serves", async () => {
    const { world, before } = await serves(full());
    world.write("images", "shop/test/web:aaa sha256:1\nshop/test/api:bbb sha256:2\nother/test/web:ccc\n");
    const { current, containers, images, seen } = await world.facts();
    expect(current).toMatchObject({ release: before.plan.release, epoch: 1, record: before.plan.record });
    expect(current?.objects.map(({ key }) => key).sort()).toEqual([...before.keys].sort());
    expect(current?.objects.find(({ service }) => service === "web")).toMatchObject({
      role: "service",
      health: "http:3001:/health",
    });
    const stopped = containers.filter(({ state }) => state !== "running");
    expect(containers.map(({ key }) => key).sort()).toEqual([...before.keys].sort());
    expect(stopped).toMatchObject([{ role: "migrate", state: "exited" }]);
    expect([...images]).toEqual([
      ["shop/test/web:aaa", "sha256:1"],
      ["shop/test/api:bbb", "sha256:2"],
      // What a release runs may have been made elsewhere.
      ["other/test/web:ccc", "sha256:of-other/test/web:ccc"],
    ]);
    const volumes = ["volume:shop-test-database", "volume:shop-test-proxy"];
    expect([...seen.keys()].sort()).toEqual(
      [...before.keys, "network:data", "network:edge", ...volumes].sort(),
    );
  });

  it("of a host in the middle of a release that was killed", async () => {
    const { world, before } = await serves(plain());
    const next = prepare(world, plain(2));
    world.fault({ call: "start web-*", happens: "slay-after", words: "group" });
    await release(world, next);
    const facts = await world.facts();
    expect(facts).toMatchObject({ interrupted: true, active: undefined });
    expect(facts.current?.release).toBe(before.plan.release);
    expect(facts.containers).toHaveLength(before.keys.length + 1);
  });

  it("of a host without an engine: the cause, and nothing else", async () => {
    const world = World.create();
    world.write("version", "");
    world.tool("docker", "#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n");
    expect((await world.facts()).errors).toEqual([
      "no Docker engine answers on the host: Cannot connect to the Docker daemon",
    ]);
  });

  it("that break off are refused", async () => {
    const { world } = await serves(plain());
    const { output } = await world.run("facts");
    expect(() => parseFacts(output)).not.toThrow();
    expect(() => parseFacts(output.slice(0, -"end\n".length))).toThrow("the host's answer broke off");
  });
});

/**
 * Memory of a machine whose /proc and /sys/fs/cgroup are these files: the script's own text, with other roots.
 * Sizes in files are bytes but for meminfo (KiB), as the kernel writes them.
 */
function memory(
  files: Record<string, string>,
  with_: (world: World) => void = () => undefined,
): Facts["memory"] {
  const world = World.create();
  with_(world);
  const root = join(world.dir, "root");
  for (const [path, text] of Object.entries({ "/proc/uptime": "100.00 1.00\n", ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const script = hostScript("facts", world.stackLines(0))
    .replaceAll("/proc/", `${root}/proc/`)
    .replaceAll("/sys/fs/cgroup", `${root}/sys/fs/cgroup`);
  const { stdout, stderr } = spawnSync("sh", ["-c", script, "script", "facts"], {
    encoding: "utf8",
    env: { PATH: pathOf(world.shell), FAKE_WORLD: world.dir },
  });
  expect(stderr).toBe("");
  return parseFacts(stdout).memory;
}

const MIB = 1024 * 1024;
const MACHINE = { "/proc/meminfo": "MemTotal: 2048000 kB\nMemFree: 1 kB\nMemAvailable: 1548000 kB\n" };
const group = (limit: string, used: number, cache: number): [string, string, string] => [
  `${limit}\n`,
  `${used * MIB}\n`,
  `anon 1\ninactive_file ${(cache - 1) * MIB}\nactive_file ${MIB}\n`,
];

function v2(path: string, limit: string, used: number, cache: number): Record<string, string> {
  const [max, current, stat] = group(limit, used, cache);
  const folder = `/sys/fs/cgroup${path}`;
  return {
    [`${folder}/memory.max`]: max,
    [`${folder}/memory.current`]: current,
    [`${folder}/memory.stat`]: stat,
  };
}

function v1(path: string, limit: string, used: number, cache: number): Record<string, string> {
  const [max, current, stat] = group(limit, used, cache);
  const folder = `/sys/fs/cgroup/memory${path}`;
  return {
    [`${folder}/memory.limit_in_bytes`]: max,
    [`${folder}/memory.usage_in_bytes`]: current,
    [`${folder}/memory.stat`]: `active_file 1\ninactive_file 1\n${stat.replaceAll(/(in)?active_file/g, "total_$&")}`,
  };
}

describe("the memory", () => {
  it("of a machine without a limit is the machine's", () => {
    expect(
      memory({ ...MACHINE, "/proc/self/cgroup": "0::/user.slice\n", ...v2("/user.slice", "max", 100, 50) }),
    ).toEqual({ total: 2048000, used: 500000, ours: 0 });
  });

  it("under cgroup v2 is the least limit of all levels, its use without cache that can be given back", () => {
    expect(
      memory({
        ...MACHINE,
        "/proc/self/cgroup": "0::/vps/user.slice\n",
        ...v2("/vps/user.slice", "max", 100, 50),
        ...v2("/vps", String(1024 * MIB), 700, 300),
      }),
    ).toEqual({ total: 1024 * 1024, used: 400 * 1024, ours: 0 });
  });

  it("under cgroup v2 heeds a limit at the root of the namespace: a container's own", () => {
    expect(
      memory({
        ...MACHINE,
        "/proc/self/cgroup": "0::/system.slice\n",
        ...v2("/system.slice", "max", 100, 50),
        ...v2("", String(512 * MIB), 300, 100),
      }),
    ).toEqual({ total: 512 * 1024, used: 200 * 1024, ours: 0 });
  });

  it("under cgroup v1 likewise; a limit of 19 digits is none", () => {
    expect(
      memory({
        ...MACHINE,
        "/proc/self/cgroup": "5:cpu,cpuacct:/box\n4:memory:/box/ssh\n0::/box\n",
        ...v1("/box/ssh", "9223372036854771712", 100, 50),
        ...v1("/box", String(1024 * MIB), 800, 200),
        ...v1("", "9223372036854771712", 1500, 100),
      }),
    ).toEqual({ total: 1024 * 1024, used: 600 * 1024, ours: 0 });
  });

  it("counts what others' containers may still grow by, as far as the machine reaches, and not ours", () => {
    const containers: [name: string, stack: string, limit: number, used: number][] = [
      ["ours", "shop/test", 300, 60],
      ["theirs", "other/test", 200, 50],
      ["unlimited", "", 0, 80],
      ["boundless", "", 1_000_000, 100],
      ["full", "", 40, 40],
    ];
    const files = containers.map(([name, , , used], i) => ({
      [`/proc/${4000 + i}/cgroup`]: `0::/${name}\n`,
      ...v2(`/${name}`, "max", used + 7, 7),
    }));
    const told = memory(
      {
        ...MACHINE,
        "/proc/self/cgroup": "0::/user.slice\n",
        ...(Object.assign({}, ...files) as Record<string, string>),
      },
      (world) => {
        containers.forEach(([name, stack, limit], i) => {
          const folder = `containers/${name}`;
          mkdirSync(join(world.dir, folder));
          world.write(
            `${folder}/about`,
            `key='${name}'\nservice=''\nrole='service'\nstack='${stack}'\nip=''\n`,
          );
          world.write(`${folder}/state`, "running 0 0 false\n");
          world.write(`${folder}/memory`, `${limit * MIB}\n`);
          world.write(`${folder}/pid`, `${4000 + i}\n`);
        });
      },
    );
    expect(told).toEqual({
      total: 2048000,
      used: 500000,
      ours: 60 * 1024,
      promised: 150 * 1024 + (2048000 - 100 * 1024),
    });
  });

  it("of a machine whose cgroups are not there is the machine's", () => {
    expect(memory({ ...MACHINE, "/proc/self/cgroup": "0::/gone\n" })).toEqual({
      total: 2048000,
      used: 500000,
      ours: 0,
    });
  });
});
