import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { markLabels } from "./support/docker";
import { Stack } from "./support/stack";

interface Box {
  port: string;
  hostKey: string;
  keyFile: string;
}

/** Switches on the VPS in a box, and says how it is reached. */
function box(): Box {
  execFileSync("sandbox/box", ["up"], { stdio: ["ignore", "ignore", "inherit"] });
  const info = execFileSync("sandbox/box", ["info"], { encoding: "utf8" });
  const value = (name: string): string => {
    const [, found] = new RegExp(`^${name}='?(.*?)'?$`, "m").exec(info) ?? [];
    if (found === undefined) throw new Error(`sandbox/box info says nothing of ${name}`);
    return found;
  };
  return { port: value("ssh_port"), hostKey: value("host_key"), keyFile: value("key_file") };
}

/** Runs a command in the box. */
function inBox(...command: string[]): string {
  return execFileSync("sandbox/box", ["exec", ...command], { encoding: "utf8" }).trim();
}

describe("over ssh", () => {
  let stack: Stack;
  let host: Box;
  const tag = `contract/ssh:${process.pid}`;

  beforeAll(async () => {
    host = box();
    stack = await Stack.create("ssh");
    mkdirSync(join(stack.folder, "app"));
    writeFileSync(join(stack.folder, "app", "Dockerfile"), 'FROM scratch\nCOPY . /\nCMD ["/none"]\n');
  });
  afterAll(async () => {
    await stack.destroy();
    inBox(
      "sh",
      "-c",
      `docker ps -aq --filter label=contract-test | xargs -r docker rm -f; docker rmi -f ${tag}`,
    );
    stack.remove();
  });

  const sshOptions = (hostKey: string): string[] => {
    const known = join(stack.folder, "known_hosts");
    writeFileSync(known, `[127.0.0.1]:${host.port} ${hostKey}\n`);
    const options = {
      IdentityFile: host.keyFile,
      IdentitiesOnly: "yes",
      UserKnownHostsFile: known,
      StrictHostKeyChecking: "yes",
      BatchMode: "yes",
      ControlMaster: "auto",
      ControlPath: join(stack.folder, "%C"),
      ControlPersist: "5",
    };
    return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  };

  const program = (hostKey: string) => (): Record<string, unknown> => {
    const sshOpts = sshOptions(hostKey);
    const provider = new docker.Provider("box", { host: `ssh://root@127.0.0.1:${host.port}`, sshOpts });
    const context = join(stack.folder, "app");
    const image = new docker.Image(
      "app",
      {
        imageName: tag,
        skipPush: true,
        build: { context, dockerfile: join(context, "Dockerfile"), platform: "linux/amd64" },
      },
      { provider },
    );
    const container = new docker.Container(
      "web",
      { image: image.imageName, start: false, mustRun: false, networkMode: "bridge", labels: markLabels },
      { provider, ignoreChanges: ["*"] },
    );
    const name = new local.Command("name", {
      interpreter: ["ssh", ...sshOpts, "-p", host.port, "root@127.0.0.1", "--"],
      create: "cat; echo $((6 * 7))",
      stdin: "through ",
    });
    return { digest: image.repoDigest, container: container.name, said: name.stdout };
  };

  test("a host with another key than the pinned one is refused, and nothing is sent to it", async () => {
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIrJCG3rmVQx7VZ2Bq9DPvnj9VjGJQ9ZhkGXLgpTq0Xk";
    const up = await stack.up(program(other));
    expect(up.error).toBeDefined();
    expect(up.diagnostics).toMatch(/Host key verification failed|HOST IDENTIFICATION HAS CHANGED/);
    expect(stack.stored("web")).toBeUndefined();
  });

  test("an image is built on the host, and a container made of it there", async () => {
    const up = await stack.up(program(host.hostKey));
    expect(up.diagnostics).toBe("");
    expect(stack.output("digest")).toBe(inBox("docker", "image", "inspect", "--format", "{{.Id}}", tag));
    const container = String(stack.output("container"));
    expect(inBox("docker", "inspect", "--format", "{{.State.Status}}", container)).toBe("created");
  });

  test("a command whose interpreter is ssh runs there, with its stdin", () => {
    expect(stack.output("said")).toBe("through 42");
  });

  test("nothing changes in a second run, or in a refresh", async () => {
    expect((await stack.up(program(host.hostKey))).unchanged).toBe(true);
    expect((await stack.refresh()).unchanged).toBe(true);
  });
});
