import * as pulumi from "@pulumi/pulumi";
import { RandomPassword, RandomUuid } from "@pulumi/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ifKnown } from "../../components/known";
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

describe("random.RandomUuid", () => {
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  let stack: Stack;
  let first: unknown;
  const asked: unknown[] = [];
  const program = (keepers?: Record<string, string>) => async (): Promise<Record<string, unknown>> => {
    const { id, result } = new RandomUuid("lineage", { keepers });
    asked.push(await ifKnown(result));
    return { id, result, secret: pulumi.isSecret(result) };
  };

  beforeAll(async () => {
    stack = await Stack.create("uuid");
  });
  afterAll(async () => {
    await stack.destroy();
    stack.remove();
  });

  test("is not known in the preview of its creation: a program that asks for it goes on without", async () => {
    const run = await stack.preview(program());
    expect(run.error).toBeUndefined();
    expect(run.steps).toEqual(["create lineage"]);
    expect(asked.splice(0)).toEqual([undefined]);
  });

  test("is made once, is its own ID and no secret; the program that made it knows it", async () => {
    const run = await stack.up(program());
    expect(run.steps).toEqual(["create lineage"]);
    first = stack.output("result");
    expect(first).toMatch(UUID);
    expect(stack.stored("lineage")).toMatchObject({ id: first, outputs: { result: first } });
    expect(stack.output("secret")).toBe(false);
    expect(asked.splice(0)).toEqual([first]);
  });

  test("stays the same, and is known to a program that asks, in a preview too", async () => {
    const preview = await stack.preview(program());
    expect(preview.unchanged).toBe(true);
    expect((await stack.up(program())).unchanged).toBe(true);
    expect((await stack.refresh()).unchanged).toBe(true);
    // How often a refresh asks the program is the engine's to say.
    expect(new Set(asked.splice(0))).toEqual(new Set([first]));
  });

  test("is kept by a run that fails after it, so that the next one knows it without any outputs", async () => {
    const fresh = await Stack.create("uuid-failed");
    const failing = async (): Promise<never> => {
      asked.push(await ifKnown(new RandomUuid("lineage").result));
      throw new Error("something else went wrong");
    };
    expect((await fresh.up(failing)).error).toContain("something else went wrong");
    await fresh.preview(failing);
    const [made, known] = asked.splice(0);
    expect(made).toMatch(UUID);
    expect(known).toBe(made);
    await fresh.destroy();
    fresh.remove();
  });

  test("is another one when a keeper changes", async () => {
    const run = await stack.up(program({ version: "2" }));
    expect(run.steps).toContain("create-replacement lineage");
    expect(stack.output("result")).toMatch(UUID);
    expect(stack.output("result")).not.toBe(first);
  });
});
