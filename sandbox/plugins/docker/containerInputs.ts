import type { Inputs } from "../lib/schema";
import { labelInputs } from "./labels";

/** What the stand-in takes of docker.Container's inputs. */
export const containerInputs = {
  name: { type: "string" },
  image: { type: "string", required: true },
  command: { type: "strings" },
  entrypoints: { type: "strings" },
  envs: { type: "strings", unordered: true },
  labels: labelInputs,
  user: { type: "string" },
  hostname: { type: "string" },
  workingDir: { type: "string" },
  init: { type: "boolean" },
  restart: { type: "string", oneOf: ["no", "on-failure", "always", "unless-stopped"] },
  start: { type: "boolean" },
  mustRun: { type: "boolean" },
  attach: { type: "boolean" },
  logs: { type: "boolean" },
  stopSignal: { type: "string" },
  stopTimeout: { type: "number" },
  destroyGraceSeconds: { type: "number" },
  memory: { type: "number" },
  memorySwap: { type: "number" },
  readOnly: { type: "boolean" },
  securityOpts: { type: "strings", unordered: true },
  capabilities: {
    type: "object",
    fields: { adds: { type: "strings", unordered: true }, drops: { type: "strings", unordered: true } },
  },
  logDriver: { type: "string" },
  logOpts: { type: "map" },
  networkMode: { type: "string" },
  stdinOpen: { type: "boolean" },
  networksAdvanced: {
    type: "objects",
    unordered: true,
    fields: { name: { type: "string", required: true }, aliases: { type: "strings", unordered: true } },
  },
  ports: {
    type: "objects",
    fields: {
      internal: { type: "number", required: true },
      external: { type: "number" },
      ip: { type: "string" },
      protocol: { type: "string", oneOf: ["tcp", "udp", "sctp"] },
    },
  },
  tmpfs: { type: "map" },
  mounts: {
    type: "objects",
    unordered: true,
    fields: {
      type: { type: "string", required: true, oneOf: ["bind", "volume", "tmpfs"] },
      source: { type: "string" },
      target: { type: "string", required: true },
      readOnly: { type: "boolean" },
    },
  },
  healthcheck: {
    type: "object",
    fields: {
      tests: { type: "strings", required: true },
      interval: { type: "string" },
      timeout: { type: "string" },
      startPeriod: { type: "string" },
      retries: { type: "number" },
    },
  },
} as const satisfies Inputs;

/** Changed in place through the engine. */
export const appliedInPlace: ReadonlySet<string> = new Set(["restart", "memory", "memorySwap"]);

/** A change of these is written to the state and never reaches the container. Every other change replaces it. */
export const neverApplied: ReadonlySet<string> = new Set([
  "healthcheck",
  "tmpfs",
  "init",
  "start",
  "mustRun",
  "attach",
  "logs",
  "destroyGraceSeconds",
]);
