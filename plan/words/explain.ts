import type { Config, ServiceConfig } from "../config/schema";
import type { Drift, DriftKind } from "../found/drift";
import type { Facts, ImageConfig } from "../found/facts";
import { imageConfig } from "../found/present";
import type { ContainerRecord } from "../found/record";
import { explainImages, type ImageChoice } from "../release/images";
import { budget, headroom } from "../release/memory";
import { type Change, isSettled, type Plan } from "../release/plan";
import type { Pin } from "../release/rollback";
import { differences } from "../wanted/identity";
import { serviceOf } from "../wanted/replicas";
import { relaxations, runsAs } from "../wanted/security";
import { expected } from "./expect";
import { changedJobs, explainJobs } from "./jobs";
import { timeOf } from "./time";

/** The plan in words, for the person who reads a preview: what happens to each container, and what it costs. */
export function explain(
  plan: Plan,
  config: Config,
  facts: Facts,
  images: readonly ImageChoice[] = [],
): string {
  const width = Math.max(...plan.changes.map(({ service }) => service.length));
  const lines = plan.changes.map(
    (change) => `  ${change.service.padEnd(width)}  ${describe(change, plan, config, facts)}`,
  );
  const told = explainImages(images).map((line) => `  ${line}`);
  const jobs = explainJobs(plan, config, facts).map((line) => `  ${line}`);
  return [title(plan, facts), ...lines, ...told, ...jobs, ...notes(plan, config, facts)].join("\n");
}

/** A pinned stack says so in every preview. */
export function explainPin(pin: Pin | undefined): string[] {
  if (pin === undefined) return [];
  const { entry, changedSecrets, otherData } = pin;
  return [
    `PINNED to release ${entry.number} (${entry.release}, ${timeOf(entry.began)}, by ${entry.by}): its config and images, with today's secrets`,
    ...(otherData === undefined
      ? []
      : [`OTHER DATA: it serves what is in the volume ${otherData}, and not what is written now`]),
    ...(changedSecrets.length === 0
      ? []
      : [`secrets that have changed since: ${changedSecrets.join(", ")}; today's are used`]),
    "no migration runs; to go on from today's config: pulumi config rm rollbackTo",
  ];
}

function title({ release, epoch }: Plan, { known, current, ledger }: Facts): string {
  if (!known) return `release ${release}; what serves now is not known`;
  if (current === undefined) return `release ${release}: the first one`;
  if (current.release !== release) {
    const before = ledger.find((entry) => entry.result === "done" && entry.release === release);
    const again = before === undefined ? "" : ` (number ${before.number} again)`;
    const number = current.number === 0 ? "" : ` (number ${current.number})`;
    return `release ${release}${again} replaces ${current.release}${number}`;
  }
  return `release ${release} serves already: ${current.epoch === epoch ? "nothing to do" : "to be put right"}`;
}

function describe(change: Change, plan: Plan, config: Config, facts: Facts): string {
  const { service, kind, memory } = change;
  if (!facts.known) return `${memory} MiB`;
  switch (kind) {
    case "same":
      return "unchanged";
    case "remove":
      return "removed: nothing of that name is configured any more";
    case "new":
      return `new, ${memory} MiB; ${origin(plan.record.containers[service])}${takesOver(change)}`;
    case "repair":
      return repair(service, plan);
    case "replace":
      return `${cause(service, plan, facts)}; ${interruption(change, config)}`;
  }
}

/** It is new, and its volume is not: only one may write to it. */
function takesOver({ order }: Change): string {
  return order === "stop-first" ? "; starts once the service that had its volume has stopped" : "";
}

function origin(record: ContainerRecord | undefined): string {
  return record?.build === undefined ? `image ${record?.image ?? ""}` : `built: ${record.build.why}`;
}

/** Told with each container. Of nginx's files and of the host is told in the notes. */
const OF_CONTAINERS: readonly DriftKind[] = [
  "gone",
  "stopped",
  "paused",
  "restarting",
  "unhealthy",
  "detached",
  "limits",
];

/** Told with where each image comes from: explainImages. */
const OF_IMAGES: readonly DriftKind[] = ["image"];

function repair(service: string, { drift }: Plan): string {
  const told = drift.filter((one) => one.service === service && OF_CONTAINERS.includes(one.kind));
  return told.length === 0 ? "unchanged; stops for its migration" : told.map(inOneLine).join("; ");
}

function inOneLine({ what, cure }: Drift): string {
  return `${what}: ${cure}`;
}

function cause(service: string, plan: Plan, facts: Facts): string {
  const after = plan.record.containers[service];
  const before = facts.current?.record.containers[service];
  if (before === undefined || after === undefined) return "not known to the last release";
  if (after.build !== undefined && after.build.hash !== before.build?.hash) return origin(after);
  const changed = changedSettings(before, after);
  const causes = changed.map((setting) => inWords(service, setting, before, after));
  return causes.length > 3
    ? `${causes.slice(0, 3).join(", ")} and ${causes.length - 3} more`
    : causes.join(", ");
}

/** The settings in which two versions of a service differ, as the config calls them. */
export function changedSettings(before: ContainerRecord, after: ContainerRecord): string[] {
  return settingsOf(differences(before.parts, after.parts));
}

/** What the config calls otherwise than a container's description does. */
const IN_CONFIG: Readonly<Record<string, string>> = { mounts: "volumes", networks: "needs" };

/** What comes with another version of the database's password, in the database and in those who use it. */
const PASSWORD_LEAVES = [
  ...["DATABASE_URL", "PGPASSWORD", "POSTGRES_PASSWORD"].map((name) => `env.${name}.version`),
  ...["DATABASE_URL.text", "PGUSER", "DEPLOY_LOGIN"].map((name) => `env.${name}`),
];

/** The settings that these leaves of a container's description belong to: env.NAME, or the first word. */
function settingsOf(changed: readonly string[]): string[] {
  const rotated = changed.some((leaf) => /^env\.(PG|POSTGRES_)PASSWORD\.version$/.test(leaf));
  const others = changed.filter((leaf) => !rotated || !PASSWORD_LEAVES.includes(leaf)).map(settingOf);
  return [...new Set([...(rotated ? ["the database's password"] : []), ...others])];
}

function settingOf(leaf: string): string {
  const [first = "", second = "", third = ""] = leaf.split(".");
  if (first === "env" && third === "secret") return `secret ${second}`;
  return first === "env" ? `env.${second}` : (IN_CONFIG[first] ?? first);
}

function inWords(service: string, setting: string, before: ContainerRecord, after: ContainerRecord): string {
  if (service === "database" && setting === "command") return "settings changed";
  if (service === "proxy" && setting === "aliases")
    return "carries the name of a service that another one needs now";
  switch (setting) {
    case "memory":
      return `memory ${before.memory} -> ${after.memory} MiB`;
    case "image":
      return `image ${before.image} -> ${after.image}`;
    case "defaults":
      return "the defaults of this program changed";
    default:
      return `${setting} changed`;
  }
}

function interruption({ service, order, memory, headroom: left }: Change, config: Config): string {
  if (service === "database") return "stops and starts: requests wait some seconds";
  if (service === "proxy") return "stops and starts: about a second without connections";
  const { health, volumes = [], publish = [], order: asked } = config.services[serviceOf(service)] ?? {};
  if (order === "start-first") {
    const room = left === undefined ? "" : left < 0 ? `, ${-left} MiB too little` : `, ${left} MiB to spare`;
    return `start first (${memory} MiB beside the old one${room}): no interruption`;
  }
  const why = volumes.some(({ shareable }) => !shareable)
    ? "only one may write to its volume"
    : publish.length > 0
      ? "only one may have its port"
      : asked === "stop-first"
        ? "as configured"
        : `${-(left ?? 0)} MiB too little to run both`;
  const effect =
    health === undefined
      ? "it is away until the new one is ready"
      : "requests wait until the new one is healthy";
  return `stop first (${why}): ${effect}`;
}

/** Of what is new or another one: whom it runs as, and what must hold before it serves. */
function ofStarted(plan: Plan, config: Config, facts: Facts): string[] {
  const started = plan.changes.flatMap(({ service, kind }) => {
    const one = config.services[serviceOf(service)];
    const image = plan.record.containers[service]?.image;
    if (one === undefined || image === undefined || !["new", "replace"].includes(kind)) return [];
    return [{ service, one, found: imageConfig(facts, image) }];
  });
  if (!facts.known || started.length === 0) return [];
  const told = started.flatMap(({ service, one, found }) => [
    [`run as ${runsAs(one.security.user, found?.user)}`, service] as const,
    [`ready when ${gateOf(one, found)}`, service] as const,
  ]);
  const kinds = [...new Set(told.map(([what]) => what))].sort((a, b) => (a < b ? 1 : -1));
  return kinds.map(
    (kind) => `${kind}: ${told.flatMap(([what, service]) => (what === kind ? [service] : [])).join(", ")}`,
  );
}

function gateOf({ health, healthCommand }: ServiceConfig, found: ImageConfig | undefined): string {
  if (health !== undefined) return `it answers ${health}`;
  if (healthCommand !== undefined) return "its healthCommand succeeds";
  const idle = "it has not ended after 3 s";
  if (found === undefined) return `its image's own HEALTHCHECK succeeds, or, without one, ${idle}`;
  return found.check ? "its image's own HEALTHCHECK succeeds" : `${idle} (nothing checks it)`;
}

function notes(plan: Plan, config: Config, facts: Facts): string[] {
  const done = (verb: string) =>
    plan.steps.filter((step) => step.verb === verb).flatMap((step) => step.arguments);
  const { current, known, memory } = facts;
  const siteChanges = current !== undefined && current.record.site !== plan.record.site;
  const left = spare(plan, config, facts);
  const cost = expected(plan, facts);
  const sameContainers = plan.changes.every(({ kind }) => kind === "same");
  const told: [boolean, string][] = [
    [siteChanges, "the site's own configuration changes (domain, routes, limits): nginx loads it"],
    [
      sameContainers &&
        !siteChanges &&
        current !== undefined &&
        current.release !== plan.release &&
        changedJobs(plan, facts).length === 0,
      "no container changes, only the smoke tests or a migration",
    ],
    [
      done("migrate").length > 0,
      `runs ${done("migrate").join(", ")} first: what it does to the data is not undone`,
    ],
    ...ofStarted(plan, config, facts).map((text): [boolean, string] => [true, text]),
    ...Object.entries(config.services).map(([name, service]): [boolean, string] => {
      const found = relaxations(service);
      return [found.length > 0, `security relaxed: ${name} ${found.join(", ")}`];
    }),
    ...Object.entries(config.services).map(([name, { publish }]): [boolean, string] => {
      const open = publish.filter(({ address }) => ["0.0.0.0", "::"].includes(address));
      const ports = open.map(({ port, host }) => host ?? port).join(", ");
      return [
        open.length > 0,
        `${name} is open to everybody on port ${ports} of the host, also where a firewall such as ufw says otherwise: Docker's own rules come first`,
      ];
    }),
    [config.smoke.length === 0, "no smoke test is configured: only health gates this release"],
    ...plan.drift
      .filter(({ kind }) => ![...OF_CONTAINERS, ...OF_IMAGES].includes(kind))
      .map((one): [boolean, string] => [true, inOneLine(one)]),
    [cost !== undefined && !isSettled(plan, facts), cost ?? ""],
    [facts.active !== undefined, `at work just now: ${facts.active ?? ""}`],
    [
      left < 0,
      `memory: the limits of all containers are ${-left} MiB more than the host can give: lower some`,
    ],
    [
      left >= 0 && (plan.spare ?? 0) < 0,
      `memory: during the release the limits of all that runs are ${-(plan.spare ?? 0)} MiB more than the host can give: ` +
        "it goes on as long as use leaves room",
    ],
  ];
  const lines = told.filter(([holds]) => holds).map(([, text]) => `  ${text}`);
  if (!known || memory === undefined) return lines;
  const mib = (kib: number) => Math.floor(kib / 1024);
  return [...lines, `  host: ${mib(memory.used)} of ${mib(memory.total)} MiB in use`];
}

/** MiB left when all that is wanted runs; negative: too little. */
function spare(plan: Plan, config: Config, facts: Facts): number {
  const available = budget(facts, config.host.memory);
  const limits = Object.values(plan.record.containers).reduce((sum, { memory }) => sum + memory, 0);
  return available === undefined ? 0 : headroom(available, limits);
}
