import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Stack } from "./support/stack";

describe("the engine", () => {
  let stack: Stack;
  let log: string;

  beforeAll(async () => {
    stack = await Stack.create("engine", { "pulumi:disable-default-providers": { value: '["docker"]' } });
    log = join(stack.folder, "log");
    writeFileSync(log, "");
  });
  afterAll(async () => {
    await stack.destroy();
    stack.remove();
  });

  test("refuses a resource that would fall onto a disabled default provider", async () => {
    const up = await stack.up(() => new docker.Network("stray", {}));
    expect(up.error).toContain("Default provider for 'docker' disabled");
    expect(up.changes["create"] ?? 0).toBeLessThanOrEqual(1);
  });

  const program = (version: string, gate: "opens" | "fails") => (): void => {
    const old = new local.Command("replaced", {
      create: `echo made ${version} >> ${log}`,
      delete: `echo deleted ${version} >> ${log}`,
      triggers: [version],
    });
    new local.Command("gate", { create: gate === "opens" ? "true" : "false" }, { dependsOn: old });
  };

  test("deletes what was replaced only after every step succeeded: a failure leaves the old beside the new", async () => {
    await stack.up(program("1", "opens"));
    const failed = await stack.up(program("2", "fails"));
    expect(failed.error).toBeDefined();
    expect(readFileSync(log, "utf8")).toBe("made 1\nmade 2\n");
  });

  test("goes on from there in the next run", async () => {
    const up = await stack.up(program("2", "opens"));
    expect(up.error).toBeUndefined();
    expect(readFileSync(log, "utf8")).toBe("made 1\nmade 2\ndeleted 1\n");
    expect((await stack.up(program("2", "opens"))).unchanged).toBe(true);
  });
});
