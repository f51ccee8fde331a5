import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Stack } from "./support/stack";

describe("random.RandomPassword", () => {
  let stack: Stack;
  let first: unknown;
  const program = (version: string) => (): Record<string, unknown> => {
    const password = new RandomPassword("password", { length: 32, special: false, keepers: { version } });
    return { password: password.result, secret: pulumi.isSecret(password.result) };
  };

  beforeAll(async () => {
    stack = await Stack.create("random");
  });
  afterAll(async () => {
    await stack.destroy();
    stack.remove();
  });

  test("is made of what was asked for, and secret", async () => {
    const run = await stack.up(program("1"));
    expect(run.steps).toEqual(["create password"]);
    first = stack.output("password");
    expect(first).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(stack.output("secret")).toBe(true);
    expect(stack.storedText()).not.toContain(String(first));
  });

  test("stays the same", async () => {
    const run = await stack.up(program("1"));
    expect(run.unchanged).toBe(true);
    expect(stack.output("password")).toBe(first);
  });

  test("is another one when a keeper changes, and unknown until then", async () => {
    const preview = await stack.preview(program("2"));
    expect(preview.steps).toContain("replace password");
    expect(stack.output("password")).toBe(first);
    const run = await stack.up(program("2"));
    expect(run.steps).toContain("create-replacement password");
    const second = stack.output("password");
    expect(second).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(second).not.toBe(first);
  });
});
