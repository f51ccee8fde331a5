import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker as run, exists, mark, removeMarked } from "./support/docker";
import { Stack } from "./support/stack";

describe("docker.Image", () => {
  let stack: Stack;
  const folder = (name: string): string => join(stack.folder, name);
  const tag = (name: string): string => `contract/${name}:${process.pid}`;
  const idOf = (name: string): string => run("image", "inspect", "--format", "{{.Id}}", tag(name));
  const write = (context: string, file: string, text: string): void => {
    writeFileSync(join(folder(context), file), text);
  };

  beforeAll(async () => {
    stack = await Stack.create("image");
    for (const context of ["content", "mode", "ignoring", "kept", "links"]) {
      mkdirSync(folder(context));
      write(
        context,
        "Dockerfile",
        `FROM scratch AS wanted\nARG V=none\nLABEL ${mark} v=$V\nCOPY . /\nFROM scratch\n`,
      );
      write(context, "file", "first");
      write(context, "build.log", "first");
      write(context, ".dockerignore", "*.log\n");
    }
    write("ignoring", "Dockerfile.dockerignore", "file\n");
  });
  afterAll(async () => {
    await stack.destroy();
    removeMarked();
    stack.remove();
  });

  const program = (generation: number) => (): Record<string, unknown> => {
    const provider = new docker.Provider("engine", {});
    const build = (context: string): docker.types.input.DockerBuild => ({
      context: folder(context),
      dockerfile: join(folder(context), "Dockerfile"),
      target: "wanted",
      args: { V: "given" },
      platform: "linux/amd64",
      builderVersion: docker.BuilderVersion.BuilderBuildKit,
    });
    const image = (
      name: string,
      options: { ignoreChanges?: string[]; replacementTrigger?: unknown } = {},
    ): docker.Image =>
      new docker.Image(
        name,
        { imageName: tag(name), skipPush: true, build: build(name) },
        { provider, ...options },
      );
    const kept = image("kept", { ignoreChanges: ["build"], replacementTrigger: generation });
    return {
      contentDigest: image("content").repoDigest,
      modeDigest: image("mode").repoDigest,
      ignoringDigest: image("ignoring").repoDigest,
      keptName: kept.imageName,
    };
  };

  test("is not built in a preview", async () => {
    const preview = await stack.preview(program(1));
    expect(preview.error).toBeUndefined();
    expect(exists("image", tag("content"))).toBe(false);
  });

  test("is built with its target and arguments, and its digest is the ID of the image on the host", async () => {
    const up = await stack.up(program(1));
    expect(up.diagnostics).toBe("");
    expect(stack.output("contentDigest")).toBe(idOf("content"));
    expect(stack.output("keptName")).toBe(tag("kept"));
    expect(run("image", "inspect", "--format", "{{.Config.Labels.v}}", tag("content"))).toBe("given");
  });

  test("is not built again for a new time, nor for a file that either kind of ignore file names", async () => {
    const before = idOf("content");
    utimesSync(join(folder("content"), "file"), 1, 1);
    write("content", "build.log", "second");
    write("ignoring", "file", "second");
    const up = await stack.up(program(1));
    expect(up.steps).toContain("same content");
    expect(up.unchanged).toBe(true);
    expect(idOf("content")).toBe(before);
  });

  test("is built again in place for a new content or mode, even if its build is under ignoreChanges", async () => {
    write("content", "file", "second");
    chmodSync(join(folder("mode"), "file"), 0o755);
    write("kept", "file", "second");
    // Where the Dockerfile has an ignore file of its own, the folder's counts for nothing.
    write("ignoring", "build.log", "second");
    const before = { mode: stack.output("modeDigest"), kept: idOf("kept") };
    const up = await stack.up(program(1));
    expect(up.steps).toEqual(
      expect.arrayContaining(["update content", "update mode", "update ignoring", "update kept"]),
    );
    expect(stack.output("contentDigest")).toBe(idOf("content"));
    expect(stack.output("modeDigest")).not.toBe(before.mode);
    expect(idOf("kept")).not.toBe(before.kept);
  });

  test("that was removed from the host goes unnoticed, until its replacementTrigger changes", async () => {
    run("rmi", tag("content"), tag("kept"));
    const up = await stack.up(program(2));
    expect(up.steps).toEqual(expect.arrayContaining(["same content", "create-replacement kept"]));
    expect(exists("image", tag("content"))).toBe(false);
    expect(exists("image", tag("kept"))).toBe(true);
  });

  test("that cannot be built says why", async () => {
    write("mode", "Dockerfile", "FROM scratch AS wanted\nCOPY no-such-file /\n");
    const up = await stack.up(program(2));
    expect(up.error).toBeDefined();
    expect(up.diagnostics).toContain("no-such-file");
  });

  test("is made of a context with a link that leads nowhere", async () => {
    symlinkSync("nowhere", join(folder("links"), "link"));
    const up = await stack.up(() => {
      const provider = new docker.Provider("engine", {});
      const context = folder("links");
      const build = { context, dockerfile: join(context, "Dockerfile"), platform: "linux/amd64" };
      new docker.Image("links", { imageName: tag("links"), skipPush: true, build }, { provider });
      return {};
    });
    expect(up.error).toBeUndefined();
    expect(exists("image", tag("links"))).toBe(true);
  });

  test("leaves the image on the host when its resource is deleted", async () => {
    const destroyed = await stack.destroy();
    expect(destroyed.error).toBeUndefined();
    expect(exists("image", tag("kept"))).toBe(true);
  });
});
