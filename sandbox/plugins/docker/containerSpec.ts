import { z } from "zod";
import { nanoseconds } from "./duration";
import { reveal, type ValueMap } from "../lib/values";
import { labelMap } from "./labels";

const strings = z.array(z.string());
const defined = z.object({
  image: z.string(),
  command: strings.optional(),
  entrypoints: strings.optional(),
  envs: strings.optional(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  workingDir: z.string().optional(),
  init: z.boolean().default(false),
  restart: z.string().default("no"),
  stopSignal: z.string().optional(),
  stopTimeout: z.number().optional(),
  memory: z.number().default(0),
  memorySwap: z.number().default(0),
  readOnly: z.boolean().default(false),
  securityOpts: strings.optional(),
  capabilities: z.object({ adds: strings.default([]), drops: strings.default([]) }).optional(),
  logDriver: z.string().default(""),
  logOpts: z.record(z.string(), z.string()).optional(),
  networkMode: z.string().default(""),
  stdinOpen: z.boolean().default(false),
  tmpfs: z.record(z.string(), z.string()).optional(),
  ports: z
    .array(
      z.object({
        internal: z.number(),
        external: z.number().optional(),
        ip: z.string().default("0.0.0.0"),
        protocol: z.string().default("tcp"),
      }),
    )
    .default([]),
  mounts: z
    .array(
      z.object({
        type: z.string(),
        source: z.string().default(""),
        target: z.string(),
        readOnly: z.boolean().default(false),
      }),
    )
    .default([]),
  healthcheck: z
    .object({
      tests: strings,
      interval: z.string().default("0s"),
      timeout: z.string().default("0s"),
      startPeriod: z.string().default("0s"),
      retries: z.number().default(0),
    })
    .optional(),
});

/** A port inside may be published at several addresses. */
function portBindings<Port extends { ip: string; external?: number | undefined }>(
  ports: readonly Port[],
  portKey: (port: Port) => string,
): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports)
    (bindings[portKey(port)] ??= []).push({ HostIp: port.ip, HostPort: String(port.external ?? "") });
  return bindings;
}

/** The inputs as the body of the engine's `POST /containers/create`. Throws where a command has an empty word. */
export function containerSpec(inputs: ValueMap): object {
  const given = defined.parse(reveal(inputs));
  if (given.command?.includes("")) throw new Error("values for command may not be empty");
  const portKey = (port: { internal: number; protocol: string }): string =>
    `${port.internal}/${port.protocol}`;
  return {
    Image: given.image,
    Cmd: given.command,
    Entrypoint: given.entrypoints,
    Env: given.envs,
    Labels: labelMap(inputs["labels"]),
    User: given.user,
    Hostname: given.hostname,
    WorkingDir: given.workingDir,
    OpenStdin: given.stdinOpen,
    StopSignal: given.stopSignal,
    StopTimeout: given.stopTimeout,
    ExposedPorts: Object.fromEntries(given.ports.map((port) => [portKey(port), {}])),
    Healthcheck: given.healthcheck && {
      Test: given.healthcheck.tests,
      Interval: nanoseconds(given.healthcheck.interval),
      Timeout: nanoseconds(given.healthcheck.timeout),
      StartPeriod: nanoseconds(given.healthcheck.startPeriod),
      Retries: given.healthcheck.retries,
    },
    HostConfig: {
      ...resources(inputs),
      Init: given.init,
      ReadonlyRootfs: given.readOnly,
      SecurityOpt: given.securityOpts,
      CapAdd: given.capabilities?.adds,
      CapDrop: given.capabilities?.drops,
      LogConfig: { Type: given.logDriver, Config: given.logOpts },
      NetworkMode: given.networkMode,
      Tmpfs: given.tmpfs,
      PortBindings: portBindings(given.ports, portKey),
      Mounts: given.mounts.map((mount) => ({
        Type: mount.type,
        Source: mount.source,
        Target: mount.target,
        ReadOnly: mount.readOnly,
      })),
    },
  };
}

/** What the engine changes in place too. The provider counts memory in MiB, the engine in bytes; -1 is no limit. */
export function resources(inputs: ValueMap): object {
  const { memory, memorySwap, restart } = defined
    .pick({ memory: true, memorySwap: true, restart: true })
    .parse(reveal(inputs));
  return {
    Memory: memory * mebibyte,
    MemorySwap: memorySwap > 0 ? memorySwap * mebibyte : memorySwap,
    RestartPolicy: { Name: restart, MaximumRetryCount: 0 },
  };
}

export const mebibyte = 1024 * 1024;
