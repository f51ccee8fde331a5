import { z } from "zod";
import type { ValueMap } from "../lib/values";
import { mebibyte } from "./containerSpec";

const strings = z.array(z.string()).nullish();

/** What the stand-in reads of the engine's answer about a container. */
export const inspectedContainer = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.object({ Running: z.boolean(), ExitCode: z.number(), FinishedAt: z.string() }),
  Config: z.object({
    Hostname: z.string().default(""),
    User: z.string().default(""),
    Cmd: strings,
    Entrypoint: strings,
    WorkingDir: z.string().default(""),
    StopSignal: z.string().optional(),
    StopTimeout: z.number().optional(),
    OpenStdin: z.boolean().default(false),
  }),
  HostConfig: z.object({
    Memory: z.number(),
    MemorySwap: z.number(),
    NetworkMode: z.string(),
    ReadonlyRootfs: z.boolean(),
    Init: z.boolean().nullish(),
    SecurityOpt: strings,
    CapAdd: strings,
    CapDrop: strings,
    Tmpfs: z.record(z.string(), z.string()).nullish(),
    RestartPolicy: z.object({ Name: z.string() }),
    LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()).nullish() }),
  }),
  NetworkSettings: z.object({
    Bridge: z.string().default(""),
    Networks: z
      .record(
        z.string(),
        z.object({
          IPAddress: z.string(),
          IPPrefixLen: z.number(),
          Gateway: z.string(),
          MacAddress: z.string(),
        }),
      )
      .nullish(),
  }),
});

export type InspectedContainer = z.infer<typeof inspectedContainer>;

/**
 * The properties as the provider reads them. The image is the ID here, whatever name the program gave; and what
 * the provider does not read back (environment, labels, networks, health check) is missing.
 */
export function containerState(container: InspectedContainer): ValueMap {
  const { Config: config, HostConfig: host, NetworkSettings: networks } = container;
  return {
    name: container.Name.replace(/^\//, ""),
    image: container.Image,
    hostname: config.Hostname,
    user: config.User,
    command: config.Cmd ?? [],
    entrypoints: config.Entrypoint ?? [],
    workingDir: config.WorkingDir,
    ...(config.StopSignal === undefined ? {} : { stopSignal: config.StopSignal }),
    ...(config.StopTimeout === undefined ? {} : { stopTimeout: config.StopTimeout }),
    memory: host.Memory / mebibyte,
    memorySwap: host.MemorySwap > 0 ? host.MemorySwap / mebibyte : host.MemorySwap,
    networkMode: host.NetworkMode,
    stdinOpen: config.OpenStdin,
    readOnly: host.ReadonlyRootfs,
    init: host.Init ?? false,
    securityOpts: host.SecurityOpt ?? [],
    ...((host.CapAdd ?? host.CapDrop) ? { capabilities: capabilities(host.CapAdd, host.CapDrop) } : {}),
    tmpfs: host.Tmpfs ?? {},
    restart: host.RestartPolicy.Name === "" ? "no" : host.RestartPolicy.Name,
    logDriver: host.LogConfig.Type,
    logOpts: host.LogConfig.Config ?? {},
    ...(container.State.Running ? {} : { exitCode: container.State.ExitCode }),
    bridge: networks.Bridge,
    networkDatas: Object.entries(networks.Networks ?? {}).map(([networkName, network]) => ({
      networkName,
      ipAddress: network.IPAddress,
      ipPrefixLength: network.IPPrefixLen,
      gateway: network.Gateway,
      macAddress: network.MacAddress,
    })),
  };
}

function capabilities(adds: string[] | null | undefined, drops: string[] | null | undefined): ValueMap {
  return { ...(adds?.length ? { adds } : {}), ...(drops?.length ? { drops } : {}) };
}
