import type { Build } from "./build";
import type { Config } from "./config/schema";
import type { ContainerSpec, Health, StackNames } from "./container";
import type { Plan } from "./release";

/**
 * The plan as the runner reads it: a word and its values a line, free text as base64 (host/lib/state.sh).
 * It holds no secret: those go from Pulumi into the containers, and the runner only starts them.
 */

/** A wanted container that exists now. */
export interface CreatedContainer {
  readonly key: string;
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly generation: number;
}

/** What every script on the host is told about the stack. */
export function stackLines(names: StackNames, host: Config["host"], wait: number): string[] {
  return [
    `state ${host.stateDir ?? `/var/lib/${names.project}`}/${names.stack}`,
    `label ${stackLabel(names)}`,
    `images ${names.project}/${names.stack}`,
    `wait ${wait}`,
  ];
}

export const STACK_LABEL = "deploy.stack";
export function stackLabel({ project, stack }: StackNames): string {
  return `${STACK_LABEL}=${project}/${stack}`;
}

export function planLines(
  plan: Plan,
  config: Config,
  containers: readonly CreatedContainer[],
  images: readonly { tag: string; generation: number }[],
  deployer: string,
): string[] {
  return [
    `holder release ${plan.release} by ${deployer}`,
    `release ${plan.release}`,
    `epoch ${plan.epoch}`,
    ...containers.map(({ key, id, spec }) => objectLine(key, id, spec)),
    `serves ${containers.map(({ key }) => key).join(" ")}`,
    ...containers.map((one) => `seen ${one.key} ${one.id} ${one.generation}`),
    ...images.map((one) => `seen image:${one.tag} ${one.tag} ${one.generation}`),
    ...Object.entries(plan.needs).map(([key, mib]) => `need ${key} ${mib}`),
    ...plan.steps.map((step) => ["do", step.verb, ...step.arguments].join(" ")),
    ...Object.entries(plan.texts).map(([name, text]) => `text ${name} ${base64(text)}`),
    ...Object.entries(plan.labels).map(([name, label]) => `label-${name} ${label}`),
    ...config.smoke.map(({ host, path, status, contains }) =>
      ["smoke", host ?? config.domain[0], path, status, base64(contains ?? "")].join(" "),
    ),
    `record ${base64(JSON.stringify(plan.record))}`,
  ];
}

/**
 * What host/local/build.sh is told.
 *
 * @param connection the program and arguments in front of a command line for the host
 */
export function localBuildLines(tag: string, build: Build, connection: readonly string[]): string[] {
  return [
    `tag ${tag}`,
    `platform ${build.platform}`,
    `context ${build.context}`,
    `dockerfile ${build.dockerfile}`,
    ...(build.target === undefined ? [] : [`target ${build.target}`]),
    ...Object.entries(build.args).map(([name, value]) => `arg ${base64(`${name}=${value}`)}`),
    ...connection.map((word) => `ssh ${word}`),
  ];
}

export function objectLine(key: string, id: string, spec: ContainerSpec): string {
  const { service, role, stopGrace, health, startTimeout } = spec;
  return ["object", key, service, role, id, stopGrace, healthWord(health), startTimeout].join(" ");
}

function healthWord(health: Health): string {
  switch (health.kind) {
    case "http":
      return `http:${health.port}:${health.path}`;
    case "exec":
      return `exec:${base64(health.command)}`;
    case "proxy":
    case "none":
      return health.kind;
  }
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
