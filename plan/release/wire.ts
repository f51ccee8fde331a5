import type { Config } from "../config/schema";
import { conditionLines } from "../found/condition";
import type { Repository } from "../found/deployer";
import type { Build } from "../wanted/build";
import { type ContainerSpec, databaseImage, type Health } from "../wanted/container";
import { jobLine } from "../wanted/jobs";
import { fullName, logFile, stackLabel, stateFolder, type StackNames } from "../wanted/names";
import type { Plan } from "./plan";
import { configToKeep } from "./rollback";

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

/** A network of the stack as the engine knows it. */
export interface CreatedNetwork {
  readonly kind: "edge" | "data";
  readonly id: string;
  readonly name: string;
  readonly generation: number;
}

/**
 * What every script on the host is told about the stack.
 *
 * @param lineage of the state that asks; undefined: it only looks, or it is a preview of a state that has none yet
 */
export function stackLines(
  names: StackNames,
  host: Config["host"],
  wait: number,
  lineage: string | undefined,
): string[] {
  return [
    `state ${stateFolder(names, host)}`,
    `label ${stackLabel(names)}`,
    `images ${fullName(names)}`,
    `wait ${wait}`,
    `log ${logFile(names, host)}`,
    ...(lineage === undefined ? [] : [`lineage ${lineage}`]),
  ];
}

/** What host/facts.sh is told. */
export function factLines(names: StackNames, config: Config, wait: number): string[] {
  const { host, tls, checks, rollbackTo, database, services, jobs } = config;
  const certificate = tls && `${tls.folder}/${tls.certificate}`;
  return [
    ...stackLines(names, host, wait, undefined),
    ...Object.values(services).flatMap(({ image }) => (image === undefined ? [] : [`image ${image}`])),
    ...(database === undefined ? [] : [`image ${databaseImage(database)}`]),
    ...(Object.keys(jobs).length === 0 ? [] : ["jobs asked"]),
    ...[...new Set(Object.values(jobs).flatMap(({ zone }) => zone ?? []))].map((zone) => `zone ${zone}`),
    ...conditionLines(certificate, checks.backup.folder),
    ...(rollbackTo === undefined ? [] : [`asked ${rollbackTo}`]),
  ];
}

/** What host/note.sh is told besides the stack's own lines. */
export function noteLine(text: string): string {
  return `note ${base64(text)}`;
}

/** Who sends a plan, and from which sources: for the ledger. */
export interface Sender {
  /** user@machine */
  readonly by: string;
  readonly repositories: readonly Repository[];
}

export function planLines(
  plan: Plan,
  config: Config,
  containers: readonly CreatedContainer[],
  images: readonly { tag: string; generation: number }[],
  { by, repositories }: Sender,
  networks: readonly CreatedNetwork[] = [],
): string[] {
  const attached = new Set(
    plan.steps.filter(({ verb }) => verb === "attach").map((step) => step.arguments[0]),
  );
  return [
    `holder release ${plan.release} by ${by}`,
    `by ${by}`,
    `release ${plan.release}`,
    `epoch ${plan.epoch}`,
    `base ${plan.base}`,
    `kind ${plan.kind}`,
    ...(config.rollbackTo === undefined ? [] : [`to ${config.rollbackTo}`]),
    ...(config.rollbackTo === undefined ? commitLines(repositories) : []),
    ...(plan.record.database === undefined
      ? []
      : [`data ${plan.record.database.version} ${plan.record.database.volume}`]),
    ...Object.entries(plan.migrations).map(([key, kind]) => `migration ${key} ${kind}`),
    ...secretLines(config),
    ...plan.jobs.map((job) => `job ${jobLine(job)}`),
    `config ${base64(JSON.stringify(configToKeep(config)))}`,
    ...containers.map(({ key, id, spec }) => objectLine(key, id, spec)),
    `serves ${containers.map(({ key }) => key).join(" ")}`,
    ...containers.map((one) => `seen ${one.key} ${one.id} ${one.generation}`),
    ...images.map((one) => `seen image:${one.tag} ${one.tag} ${one.generation}`),
    ...plan.volumes.map(({ name, generation }) => `seen volume:${name} ${name} ${generation}`),
    ...plan.freshVolumes.map((name) => `fresh ${name}`),
    ...networks.map(({ kind, id, generation }) => `seen network:${kind} ${id} ${generation}`),
    ...containers.filter(({ key }) => attached.has(key)).flatMap((one) => joinLines(one, networks)),
    ...Object.entries(plan.needs).map(([key, mib]) => `need ${key} ${mib}`),
    ...plan.retained.map((image) => `retain ${image}`),
    ...plan.steps.map((step) => ["do", step.verb, ...step.arguments].join(" ")),
    ...Object.entries(plan.texts).map(([name, text]) => `text ${name} ${base64(text)}`),
    ...Object.entries(plan.labels).map(([name, label]) => `label-${name} ${label}`),
    ...config.smoke.map(({ host, path, status, contains }) =>
      ["smoke", host ?? config.domain[0], path, status, base64(contains ?? "")].join(" "),
    ),
    ...probeLines(config),
    ...budgetLines(config),
    `record ${base64(JSON.stringify(plan.record))}`,
  ];
}

/** What our own requests ask for while a release runs: a page that is known to be there, else the first way to a service. */
function probeLines({ measure, smoke, services, domain }: Config): string[] {
  if (measure.rate === 0) return [];
  const tested = smoke.find(({ path, status }) => status < 400 && !/[[\]{}\\#]/.test(path));
  const [route] = Object.values(services).flatMap((service) =>
    service.route.map((path) => ({ host: service.host[0], path })),
  );
  const asked = tested ?? route;
  return asked === undefined ? [] : [`probe ${measure.rate} ${asked.host ?? domain[0]} ${asked.path}`];
}

function budgetLines({ budget }: Config): string[] {
  if (budget === undefined) return [];
  const { level, failed, gap, seconds } = budget;
  return [`budget ${[level, failed, gap, seconds].map((one) => one ?? "-").join(" ")}`];
}

/** What the messenger is to say of each outcome of a job. */
export function tellingLines(messages: Readonly<Record<string, string>>): string[] {
  return Object.entries(messages).map(([outcome, text]) => `telling ${outcome} ${base64(text)}`);
}

/** By name only: whether a release can be gone back to is asked of each, without its whole config. */
function secretLines({ services }: Config): string[] {
  return Object.entries(services).flatMap(([service, { secrets }]) =>
    Object.keys(secrets).map((name) => `secret ${service} ${name}`),
  );
}

function commitLines(repositories: readonly Repository[]): string[] {
  return repositories.flatMap(({ path, commit, changed }) =>
    commit === undefined ? [] : [`commit ${commit} ${changed === 0 ? "clean" : "changed"} ${path}`],
  );
}

/**
 * What host/local/build.sh is told.
 *
 * @param place whose engine builds
 * @param secrets the names of those that the build is told; their values come by the environment
 * @param connection the program and arguments in front of a command line for the host
 */
export function localBuildLines(
  tag: string,
  build: Build,
  place: "host" | "local",
  secrets: readonly string[],
  connection: readonly string[],
): string[] {
  return [
    `tag ${tag}`,
    `place ${place}`,
    `platform ${build.platform}`,
    `context ${build.context}`,
    `dockerfile ${build.dockerfile}`,
    ...(build.target === undefined ? [] : [`target ${build.target}`]),
    ...Object.entries(build.args).map(([name, value]) => `arg ${base64(`${name}=${value}`)}`),
    ...secrets.map((name) => `secret ${name}`),
    ...connection.map((word) => `ssh ${word}`),
  ];
}

export function objectLine(key: string, id: string, spec: ContainerSpec): string {
  const { service, role, stopGrace, health, startTimeout } = spec;
  const origin = health.kind === "http" ? [health.origin] : [];
  return ["object", key, service, role, id, stopGrace, healthWord(health), startTimeout, ...origin].join(" ");
}

/** joins KEY NETWORK ALIAS...: which networks a container should be in, and under which names. */
function joinLines({ key, spec }: CreatedContainer, networks: readonly CreatedNetwork[]): string[] {
  return networks
    .filter(({ kind }) => spec.networks.includes(kind))
    .map(({ name }) => ["joins", key, name, key, ...spec.aliases].join(" "));
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
