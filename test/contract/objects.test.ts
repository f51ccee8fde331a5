import * as docker from "@pulumi/docker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker as run, exists, mark, markLabels, removeMarked } from "./support/docker";
import { Stack } from "./support/stack";

const image = "node:22-bookworm-slim";
const volumeName = `contract-${process.pid}`;

describe("docker.Network, docker.Volume and docker.RemoteImage", () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.create("objects");
  });
  afterAll(async () => {
    await stack.destroy();
    removeMarked();
    stack.remove();
  });

  const program = (what: { volume: boolean; image: boolean }) => (): Record<string, unknown> => {
    const options = { provider: new docker.Provider("engine", {}) };
    const network = new docker.Network(
      "edge",
      { driver: "bridge", internal: true, labels: markLabels },
      options,
    );
    if (what.volume) {
      new docker.Volume(
        "data",
        { name: volumeName, labels: markLabels },
        { ...options, retainOnDelete: true },
      );
    }
    const remote = what.image
      ? new docker.RemoteImage("remote", { name: image, keepLocally: true }, options)
      : undefined;
    return { network: network.name, imageId: remote?.imageId };
  };

  test("a network without a name gets its logical one and 7 hex digits, and its options", async () => {
    const up = await stack.up(program({ volume: true, image: true }));
    expect(up.diagnostics).toBe("");
    const name = String(stack.output("network"));
    expect(name).toMatch(/^edge-[0-9a-f]{7}$/);
    const seen = run("network", "inspect", "--format", "{{.Driver}} {{.Internal}} {{json .Labels}}", name);
    expect(seen).toBe(`bridge true {"contract-test":"${process.pid}"}`);
  });

  test("a RemoteImage is the image that the host has under that name", () => {
    expect(stack.output("imageId")).toBe(run("image", "inspect", "--format", "{{.Id}}", image));
  });

  test("a volume has its name and labels", () => {
    const seen = run("volume", "inspect", "--format", "{{json .Labels}}", volumeName);
    expect(seen).toBe(`{"contract-test":"${process.pid}"}`);
  });

  test("nothing of them changes in a second run, or in a refresh", async () => {
    expect((await stack.up(program({ volume: true, image: true }))).unchanged).toBe(true);
    expect((await stack.refresh()).unchanged).toBe(true);
  });

  test("retainOnDelete leaves a volume, keepLocally an image", async () => {
    const up = await stack.up(program({ volume: false, image: false }));
    expect(up.changes).toEqual({ delete: 2 });
    expect(exists("volume", volumeName)).toBe(true);
    expect(exists("image", image)).toBe(true);
  });

  test("a volume of a name that exists takes that one over, with its data", async () => {
    const shell = [
      "run",
      "--rm",
      "--label",
      mark,
      "-v",
      `${volumeName}:/data`,
      "--entrypoint",
      "sh",
      image,
      "-c",
    ];
    run(...shell, "echo kept > /data/file");
    const up = await stack.up(program({ volume: true, image: false }));
    expect(up.changes).toEqual({ create: 1 });
    expect(run(...shell, "cat /data/file")).toBe("kept");
  });

  test("an image that nobody has is an error that names it", async () => {
    // A registry that is not there, on this machine: no other one is asked.
    const missing = "127.0.0.1:1/none:1";
    const up = await stack.up(() => {
      const provider = new docker.Provider("engine", {});
      new docker.RemoteImage("missing", { name: missing }, { provider });
      new docker.Container("homeless", { image: missing, start: false, mustRun: false }, { provider });
    });
    expect(up.diagnostics).toContain(
      `Unable to read Docker image into resource: unable to pull image ${missing}`,
    );
    expect(up.diagnostics).toContain(
      `Unable to create container with image ${missing}: unable to pull image ${missing}`,
    );
  });

  test("a network with a running container cannot be deleted: after 30 s that is an error", async () => {
    await stack.up(program({ volume: false, image: false }));
    const name = String(stack.output("network"));
    const idle = run("run", "-d", "--label", mark, "--network", name, "--entrypoint", "sleep", image, "60");
    const began = performance.now();
    const failed = await stack.destroy();
    expect(failed.diagnostics).toContain("timeout while waiting for state to become 'removed'");
    expect(performance.now() - began).toBeGreaterThan(25_000);
    run("rm", "-f", idle);
    const destroyed = await stack.destroy();
    expect(destroyed.error).toBeUndefined();
    expect(exists("network", name)).toBe(false);
  });
});
