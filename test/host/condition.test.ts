import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseFacts } from "../../plan/found/answer";
import { serves } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { full, plain } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// What the checklist asks of the host.

afterAll(removeWorlds);

const ask = async (world: World, lines: readonly string[] = []) =>
  parseFacts((await world.run("facts", lines, 0)).output).condition;

describe.concurrent("the condition of a host", () => {
  it("without a release: its disk and its clock", async () => {
    const world = World.create();
    const condition = await ask(world);
    expect(condition).toMatchObject({ certificate: undefined, database: undefined, backup: undefined });
    expect(condition.diskFree).toBeGreaterThan(0);
    expect(Math.abs((condition.clock ?? 0) - Date.now() / 1000)).toBeLessThan(30);
    expect(violations(world)).toEqual([]);
  });

  it("with a release: whether the database answers, without changing anything", async () => {
    const { world, before } = await serves(full());
    expect((await ask(world)).database).toBe("up");
    world.putState(before.keys.find((key) => key.startsWith("database-")) ?? "", "exited 0 0 false");
    expect((await ask(world)).database).toBe("down");
    const stack = await serves(plain());
    expect((await ask(stack.world)).database).toBeUndefined();
    expect(violations(world)).toEqual([]);
  });

  it("says when the newest dump was written, in the stack's folder or another", async () => {
    const { world } = await serves(full());
    const folder = join(world.dir, "dumps");
    mkdirSync(folder);
    for (const [name, age] of [["old", 9000] as const, ["new", 3600] as const]) {
      writeFileSync(join(folder, name), "");
      const at = Date.now() / 1000 - age;
      utimesSync(join(folder, name), at, at);
    }
    const { backup = 0 } = await ask(world, [`backups ${folder}`]);
    expect(Math.abs(Date.now() / 1000 - 3600 - backup)).toBeLessThan(30);
    expect((await ask(world)).backup).toBeUndefined();
  });

  it("a certificate that is not there", async () => {
    const world = World.create();
    expect((await ask(world, ["certificate /no/such/file"])).certificate).toBe("unreadable");
  });
});
