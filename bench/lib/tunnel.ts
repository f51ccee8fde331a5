import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Box } from "../../test/e2e/lib/box";
import { pause } from "../../test/e2e/lib/command";

/** The box's Docker engine through one ssh connection that stays open: a socket of this machine. */
export class Tunnel {
  private constructor(
    readonly socket: string,
    private readonly ssh: ChildProcess,
  ) {}

  static async open(box: Box, folder: string): Promise<Tunnel> {
    const port = box.sshPort;
    const known = join(folder, "known_hosts");
    await writeFile(known, `[127.0.0.1]:${port} ${box.hostKey}\n`);
    const socket = join(folder, "docker.sock");
    const options = [
      "BatchMode=yes",
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${known}`,
      "ExitOnForwardFailure=yes",
    ];
    const ssh = spawn(
      "ssh",
      [
        "-F",
        "/dev/null",
        "-nNT",
        ...options.flatMap((option) => ["-o", option]),
        "-L",
        `${socket}:/var/run/docker.sock`,
        "-p",
        String(port),
        "root@127.0.0.1",
      ],
      { env: { ...process.env, ...box.deployerEnv }, stdio: "inherit" },
    );
    for (let tries = 0; tries < 100 && !existsSync(socket); tries++) await pause(100);
    if (!existsSync(socket)) throw new Error("no tunnel to the box's engine");
    return new Tunnel(socket, ssh);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.ssh.once("close", resolve));
    this.ssh.kill();
    await closed;
  }
}
