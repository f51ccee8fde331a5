import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostScript } from "../../host/bundle";
import { parseFacts } from "../../plan/found/answer";
import { type Prepared, prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { entries, pathOf } from "./lib/shells";
import { full, plain } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// Whose host it is: claimed once, asked again by whatever changes something.

afterAll(removeWorlds);

const ANOTHER = "22222222-2222-4222-8222-222222222222";
const claim = (world: World) => world.run("claim", ["by ann@laptop"]);

describe.concurrent("a claim", () => {
  it("writes whose the host is, and tells which machine that is", async () => {
    const world = World.create();
    const { code, output } = await claim(world);
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/^machine [0-9a-f]{12}\n$/) as string,
    });
    const { owner, machine } = await world.facts();
    expect(owner).toEqual({
      stack: "shop/test",
      lineage: world.lineage,
      machine,
      by: "ann@laptop",
      since: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/) as string,
    });
    expect(output).toBe(`machine ${machine ?? ""}\n`);
    expect(entries(join(world.dir, "state/test")).filter((name) => name.startsWith("owner"))).toEqual([
      "owner",
    ]);
  });

  it("again by the same state changes nothing", async () => {
    const world = World.create();
    await claim(world);
    const before = world.read("state/test/owner");
    expect((await world.run("claim", ["by ben@desk"])).code).toBe(0);
    expect(world.read("state/test/owner")).toBe(before);
  });

  it("of another's host is refused: who, since when; nothing is changed", async () => {
    const world = World.create();
    await claim(world);
    const before = world.read("state/test/owner");
    world.lineage = ANOTHER;
    const { code, output } = await world.run("claim", ["by ben@desk"]);
    expect(code).toBe(1);
    expect(output).toMatch(
      /belongs to another state of shop\/test:\nann@laptop deployed it first, \d{4}-.*UTC\./,
    );
    expect(world.read("state/test/owner")).toBe(before);
  });

  it("by two states at once is one's only", async () => {
    const world = World.create();
    const claims = Array.from({ length: 6 }, (_, i) => {
      world.lineage = `${i}${ANOTHER.slice(1)}`;
      return world.run("claim", [`by number ${i}`]);
    });
    const codes = (await Promise.all(claims)).map(({ code }) => code);
    const winner = codes.indexOf(0);
    expect(codes.filter((code) => code === 0)).toEqual([0]);
    expect((await world.facts()).owner).toMatchObject({
      by: `number ${winner}`,
      lineage: `${winner}${ANOTHER.slice(1)}`,
    });
  });

  it("that cannot be written says so", async () => {
    const world = World.create();
    world.tool("ln", "#!/bin/sh\necho no space left on device >&2\nexit 1\n");
    const { code, output } = await claim(world);
    expect(code).toBe(1);
    expect(output).toContain("/state/test/owner on the host: is its disk full? Nothing was changed.");
  });
});

describe.concurrent("a release", () => {
  it("on a host that an older program deployed to: takes it for this state's, and goes on", async () => {
    const { world } = await serves(plain());
    rmSync(join(world.dir, "state/test/owner"));
    expect((await release(world, prepare(world, plain(2)))).code).toBe(0);
    expect((await world.facts()).owner).toMatchObject({ lineage: world.lineage, by: "tester@desk" });
    expect(violations(world)).toEqual([]);
  });

  it("of another state does no verb", async () => {
    const { world, before } = await serves(plain());
    world.lineage = ANOTHER;
    const calls = world.lines("calls");
    const { code, output } = await release(world, prepare(world, plain(2)));
    expect(code).toBe(1);
    expect(output).toMatch(/belongs to another state of shop\/test:\ntester@desk deployed it first/);
    expect(world.lines("calls")).toEqual(calls);
    expect((await world.facts()).current?.release).toBe(before.plan.release);
    expect(world.lockIsFree()).toBe(true);
    expect(violations(world)).toEqual([]);
  });

  it("of another state leaves what an interrupted one of the owner left", async () => {
    const { world } = await serves(plain());
    world.fault({ call: "start web-*", happens: "slay-after", words: "group" });
    await release(world, prepare(world, plain(2)));
    const journal = world.read("state/test/journal");
    const { lineage } = world;
    world.lineage = ANOTHER;
    expect((await release(world, prepare(world, plain(3)))).code).toBe(1);
    expect(world.read("state/test/journal")).toBe(journal);
    world.lineage = lineage;
    expect((await release(world, prepare(world, plain(3)))).code).toBe(0);
    expect(violations(world)).toEqual([]);
  });
});

/** As after `pulumi up --replace`, or in a state that has not made what serves: other containers of the same names. */
function remade(world: World, { lines, keys }: Prepared, which: RegExp): readonly string[] {
  const anew = new Map(
    keys
      .filter((key) => which.test(key))
      .map((key) => {
        const before = world.containerOf(key).replace("containers/", "");
        const after = createHash("sha256").update(`${before} anew`).digest("hex");
        cpSync(join(world.dir, "containers", before), join(world.dir, "containers", after), {
          recursive: true,
        });
        world.write(`containers/${after}/state`, "created 0 0 false\n");
        return [before, after];
      }),
  );
  return lines.map((line) =>
    [...anew].reduce((text, [before, after]) => text.replaceAll(before, after), line),
  );
}

describe.concurrent("a container that serves", () => {
  it("stays when Pulumi has made another of its name: that one goes", async () => {
    const { world, before } = await serves(full());
    const ids = world.containers().map(({ id }) => id);
    const next = prepare(world, full());
    const { code, output } = await world.run("deploy", remade(world, next, /^(web|api|database)-/));
    expect(output).toMatch(/web-\w+ goes on in the container that serves; another one of that name/);
    expect(code).toBe(0);
    expect(
      world
        .containers()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort());
    const { current, seen } = await world.facts();
    expect(current?.objects.map(({ id }) => id).sort()).toEqual(ids.sort());
    for (const { id, key } of world.containers()) expect(seen.get(key)?.id).toBe(id);
    expect(prepare(world, full()).plan.epoch).toBe(current?.epoch);
    expect(before.keys).toHaveLength(ids.length);
    expect(violations(world)).toEqual([]);
  });

  it("goes on too when its neighbour is exchanged in the same release", async () => {
    const { world } = await serves(plain());
    const proxy = world.containers().find(({ key }) => key.startsWith("proxy-"))?.id;
    const lines = remade(world, prepare(world, plain(2)), /^proxy-/);
    expect((await world.run("deploy", lines)).code).toBe(0);
    const { current } = await world.facts();
    expect(current?.objects.find(({ role }) => role === "proxy")?.id).toBe(proxy);
    expect(world.containers()).toHaveLength(3);
    expect(violations(world)).toEqual([]);
  });

  it("that is gone is made anew: a migration's that has done its work", async () => {
    const { world } = await serves(full());
    const done = world.containers().find(({ key }) => key.startsWith("api-migrate-"));
    rmSync(join(world.dir, "containers", done?.id ?? ""), { recursive: true });
    expect((await release(world, prepare(world, full()))).code).toBe(0);
    const { current } = await world.facts();
    expect(prepare(world, full()).plan.epoch).toBe(current?.epoch);
    expect(violations(world)).toEqual([]);
  });

  it.each([
    ["by this program", /never/],
    ["by an older one, which recorded no lineage", /^lineage .*\n/m],
  ])(
    "of another state, deployed %s, is not touched when somebody has removed the owner file",
    async (_, line) => {
      const { world, before } = await serves(full());
      rmSync(join(world.dir, "state/test/owner"));
      world.write("state/test/current", (world.read("state/test/current") ?? "").replace(line, ""));
      world.lineage = ANOTHER;
      const calls = world.lines("calls");
      const { code, output } = await world.run("deploy", remade(world, prepare(world, full()), /./));
      expect(code).toBe(1);
      expect(output).toMatch(
        /^what serves here was deployed by another state: .*\nNothing was changed\. 'pulumi destroy'/m,
      );
      expect(world.lines("calls")).toEqual(calls);
      expect((await world.facts()).current?.release).toBe(before.plan.release);
      // As it says:
      expect((await world.run("teardown")).code).toBe(0);
      expect((await release(world, prepare(world, full()))).code).toBe(0);
      expect(violations(world)).toEqual([]);
    },
  );
});

describe.concurrent("a teardown", () => {
  it("of another state removes nothing, says so, and is no failure", async () => {
    const { world, before } = await serves(plain());
    world.lineage = ANOTHER;
    const { code, output } = await world.run("teardown");
    expect(code).toBe(0);
    expect(output).toMatch(
      /^nothing was removed from the host: .* belongs to another state of shop\/test, .* tester@desk/,
    );
    expect(world.containers()).toHaveLength(before.keys.length);
    expect((await world.facts()).current?.release).toBe(before.plan.release);
    expect(violations(world)).toEqual([]);
  });

  it("on another machine than the one that was deployed to removes nothing and makes no folder", async () => {
    const world = World.create();
    world.write("networks", "shop-test-edge shop/test\n");
    const { code, output } = await world.run("teardown", ["machine 0123456789ab"]);
    expect({ code, output }).toEqual({
      code: 0,
      output: "nothing was removed from the host: it is another machine than the one that was deployed to\n",
    });
    expect(world.lines("networks")).toEqual(["shop-test-edge shop/test"]);
    expect(existsSync(join(world.dir, "state/test"))).toBe(false);
  });

  it("removes the owner too: the next state is welcome", async () => {
    const { world } = await serves(plain());
    expect((await world.run("teardown")).code).toBe(0);
    world.lineage = ANOTHER;
    expect((await claim(world)).code).toBe(0);
  });

  it("can be done on the host by hand, with the script that the claim left", async () => {
    const { world } = await serves(plain());
    expect((await claim(world)).code).toBe(0);
    const { status, stderr } = spawnSync("sh", [join(world.dir, "state/test/script"), "teardown"], {
      encoding: "utf8",
      env: { PATH: pathOf(world.shell), FAKE_WORLD: world.dir },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(world.containers()).toEqual([]);
    expect(existsSync(join(world.dir, "state/test"))).toBe(false);
    expect(violations(world)).toEqual([]);
  });
});

/** The machine's name on a host with these files: the script's own text, with another root. */
function machineOf(files: Record<string, string>): string | undefined {
  const world = World.create();
  const root = join(world.dir, "root");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const script = hostScript("facts", world.stackLines(0))
    .replaceAll("/etc/machine-id", `${root}/etc/machine-id`)
    .replaceAll("/var/lib/dbus", `${root}/var/lib/dbus`);
  const { stdout, stderr } = spawnSync("sh", ["-c", script, "script", "facts"], {
    encoding: "utf8",
    env: { PATH: pathOf(world.shell), FAKE_WORLD: world.dir },
  });
  expect(stderr).toBe("");
  return parseFacts(stdout).machine;
}

describe("the machine", () => {
  const ID = "0123456789abcdef0123456789abcdef";
  const digest = (id: string): string =>
    createHash("sha256").update(`deployed to ${id}`).digest("hex").slice(0, 12);

  it("is named by a digest of its machine-id", () => {
    expect(machineOf({ "/etc/machine-id": `${ID}\n` })).toBe(digest(ID));
    expect(machineOf({ "/etc/machine-id": ID })).toBe(digest(ID));
  });

  it("has it elsewhere, or is named by its engine", () => {
    expect(machineOf({ "/etc/machine-id": "", "/var/lib/dbus/machine-id": `${ID}\n` })).toBe(digest(ID));
    expect(machineOf({ "/etc/machine-id": "uninitialized\n" })).toBe(digest("ABCD:EFGH:IJKL"));
    expect(machineOf({})).toBe(digest("ABCD:EFGH:IJKL"));
  });
});
