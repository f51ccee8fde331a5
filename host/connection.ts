import { createHash } from "node:crypto";
import { partsOfAddress } from "../plan/config/address";
import type { Config } from "../plan/config/schema";

/**
 * How to reach the host: the same few ssh options for every connection, whoever makes it (docker's provider, a
 * command, the reading of facts). All share one connection, so that sshd's limits on new ones (MaxStartups) do not
 * bite and nothing is negotiated twice.
 *
 * No path of one machine stands in them: a second deployer would see a diff.
 */
export interface Connection {
  /** For docker.Provider; undefined is this machine's engine. */
  readonly dockerHost: string | undefined;
  readonly sshOptions: readonly string[];
  /** The program and arguments in front of a command line for the host's sh. */
  readonly interpreter: readonly string[];
}

export function connectionTo(host: Config["host"]): Connection {
  if (host.address === "local")
    return { dockerHost: undefined, sshOptions: [], interpreter: ["/bin/sh", "-c"] };
  const { user, name, port } = partsOfAddress(host.address);
  const sshOptions = options(host.hostKey ?? "", host.identityFile);
  return {
    dockerHost: host.address,
    sshOptions,
    interpreter: ["ssh", ...sshOptions, "-p", port, "-l", user, name, "--"],
  };
}

function options(hostKey: string, identityFile: string | undefined): string[] {
  const [type = ""] = hostKey.split(" ");
  const pin = createHash("sha256").update(hostKey).digest("hex").slice(0, 8);
  const settings = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    // The pinned key and nothing else is believed; a command instead of a file, because a file would have a path.
    "StrictHostKeyChecking=yes",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    `KnownHostsCommand=/bin/echo %H ${hostKey}`,
    `HostKeyAlgorithms=${type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type}`,
    // One connection for all; its name tells the pin, so that another pin makes another connection.
    "ControlMaster=auto",
    `ControlPath=~/.ssh/deploy-%C-${pin}`,
    "ControlPersist=60",
    ...(identityFile === undefined ? [] : [`IdentityFile=${identityFile}`, "IdentitiesOnly=yes"]),
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}
