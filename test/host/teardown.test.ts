import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deployed, prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { entries } from "./lib/shells";
import { full, plain } from "./lib/stacks";
import { removeWorlds, type World } from "./lib/world";

// `pulumi destroy`: nothing of ours is left but the data, and it says where that is.

afterAll(removeWorlds);

function furnish(world: World): void {
  world.write("images", "shop/test/web:1\nshop/test/api:1\nother/test/web:1\n");
  world.write("networks", "shop-test-edge shop/test\nshop-test-data shop/test\nbridge none\n");
  world.write(
    "volumes.list",
    "shop-test-database shop/test data\nshop-test-proxy shop/test proxy\nother-data other/test data\n",
  );
}

describe.concurrent("teardown", () => {
  it("removes containers, images, networks and what the host remembers; keeps the data volume and names it", async () => {
    const { world } = await serves(full());
    furnish(world);
    const { code, output } = await world.run("teardown");
    expect(code).toBe(0);
    expect(output).toBe(
      "kept: the data volume shop-test-database (to delete it for ever: docker volume rm shop-test-database)\n",
    );
    expect(world.containers()).toEqual([]);
    expect(world.lines("images")).toEqual(["other/test/web:1"]);
    expect(world.lines("networks")).toEqual(["bridge none"]);
    expect(world.lines("volumes.list").map((line) => line.split(" ")[0])).toEqual([
      "shop-test-database",
      "other-data",
    ]);
    expect(existsSync(join(world.dir, "state/test"))).toBe(false);
    expect(violations(world)).toEqual([]);
  });

  it("lets every container end in its own time before it removes any", async () => {
    const { world, before } = await serves(full());
    for (const key of before.keys) world.write(`${world.containerOf(key)}/stops-slowly`, "");
    expect((await world.run("teardown")).code).toBe(0);
    expect(violations(world)).toEqual([]);
    const ended = world.lines("asked").filter((call) => call.startsWith("stop "));
    expect(ended).toHaveLength(before.keys.length);
    expect(ended.every((call) => call.endsWith("within its own s"))).toBe(true);
  });

  it("keeps the dumps of the database, and says where they are", async () => {
    const { world } = await serves(full());
    mkdirSync(join(world.dir, "state/test/backup"));
    world.write("state/test/backup/20260101-000000.dump", "PGDMP\n");
    const { code, output } = await world.run("teardown");
    expect({ code, output }).toEqual({
      code: 0,
      output:
        `kept: the dumps in ${world.dir}/state/test/backup\n` +
        "kept: the data volume shop-test-database (to delete it for ever: docker volume rm shop-test-database)\n",
    });
    expect(entries(join(world.dir, "state/test"))).toEqual(["backup"]);
    expect((await deployed(world, full())).plan.epoch).toBe(1);
  });

  it("is no trouble twice, nor on a host that never had anything", async () => {
    const { world } = await serves(plain());
    expect((await world.run("teardown")).code).toBe(0);
    expect(await world.run("teardown")).toEqual({ code: 0, output: "" });
  });

  it("fails when a container cannot be removed, and can be tried again", async () => {
    const { world } = await serves(plain());
    world.fault({ call: "rm web-*", happens: "fail", words: "driver failed to remove root filesystem" });
    const { code, output } = await world.run("teardown");
    expect(code).not.toBe(0);
    expect(output).toContain("driver failed to remove root filesystem");
    expect(existsSync(join(world.dir, "state/test"))).toBe(true);
    expect((await world.run("teardown")).code).toBe(0);
    expect(world.containers()).toEqual([]);
  });

  it("and up again: a first release", async () => {
    const { world } = await serves(plain());
    await world.run("teardown");
    const next = prepare(world, plain());
    expect(next.plan.epoch).toBe(1);
    expect((await release(world, next)).code).toBe(0);
    expect(violations(world)).toEqual([]);
  });
});
