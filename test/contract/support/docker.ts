import { execFileSync, spawnSync } from "node:child_process";
import { z } from "zod";

/** Marks everything that these tests make, so that it can be found and removed whatever happens. */
export const mark = `contract-test=${process.pid}`;
export const markLabels = [{ label: "contract-test", value: String(process.pid) }];

/** Runs the docker client against this machine's engine. Throws with its error output when it fails. */
export function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** What the engine says of a container. */
export function inspect(container: string): Inspected {
  return inspected.parse(JSON.parse(docker("container", "inspect", container)))[0];
}

export function exists(kind: "container" | "network" | "volume" | "image", name: string): boolean {
  return spawnSync("docker", [kind, "inspect", name], { stdio: "ignore" }).status === 0;
}

/** Removes what carries the mark: a failed test leaves nothing behind. */
export function removeMarked(): void {
  const filter = ["--filter", `label=${mark}`, "-q"];
  for (const id of lines(docker("ps", "-a", ...filter))) docker("rm", "-f", "-v", id);
  for (const id of lines(docker("network", "ls", ...filter))) docker("network", "rm", id);
  for (const id of lines(docker("volume", "ls", ...filter))) docker("volume", "rm", "-f", id);
  for (const id of new Set(lines(docker("images", ...filter)))) docker("rmi", "-f", id);
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

const strings = z.array(z.string()).nullable();
const inspected = z.tuple([
  z.object({
    Id: z.string(),
    Image: z.string(),
    State: z.object({ Status: z.string() }),
    Config: z.object({
      Env: z.array(z.string()),
      Cmd: strings,
      Entrypoint: strings,
      User: z.string(),
      Hostname: z.string(),
      WorkingDir: z.string(),
      Labels: z.record(z.string(), z.string()),
      StopSignal: z.string(),
      StopTimeout: z.number(),
      Healthcheck: z.record(z.string(), z.unknown()),
    }),
    HostConfig: z.object({
      Memory: z.number(),
      MemorySwap: z.number(),
      ReadonlyRootfs: z.boolean(),
      Init: z.boolean(),
      CapAdd: strings,
      CapDrop: strings,
      SecurityOpt: strings,
      RestartPolicy: z.object({ Name: z.string() }),
      Tmpfs: z.record(z.string(), z.string()),
      LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) }),
      Mounts: z.array(z.record(z.string(), z.unknown())),
      PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() }))),
    }),
    NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ Aliases: strings })) }),
  }),
]);
export type Inspected = z.infer<typeof inspected>[0];
