import type { Config, MigrationKind } from "../config/schema";
import type { NamedContainer } from "../wanted/container";
import type { Drift } from "../found/drift";
import { type Facts, generation, type ReleaseRecord } from "../found/facts";
import { digest } from "../wanted/identity";
import { imagesToKeep, releasesToKeep, servingEntry } from "../found/ledger";
import type { Order } from "./memory";
import { siteConfig, siteDigest } from "../site/nginx";
import { Planner } from "./planner";
import { Situation } from "./situation";

/**
 * A release as data: which verbs the runner does, in which order. A pure function of what is wanted (config), what
 * the host told (facts) and nothing else; preview prints it, host/run.sh does it.
 */
export interface Plan {
  readonly release: string;
  /** What served when the plan was made, "none 0" for nothing: the runner refuses a plan that was made from another. */
  readonly base: string;
  /** Grows whenever the host is not as wanted: the release command runs when it changes. */
  readonly epoch: number;
  readonly steps: readonly Step[];
  readonly texts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** MiB that must be free on the host when a container is started, by its key; none where the host told nothing. */
  readonly needs: Readonly<Record<string, number>>;
  /** MiB left by all limits at the moment when the most runs, migrations too; undefined: the host told nothing. */
  readonly spare: number | undefined;
  readonly changes: readonly Change[];
  /** What is on the host otherwise than the last release left it: this one puts it right. */
  readonly drift: readonly Drift[];
  /** The migrations that run, by key. */
  readonly migrations: Readonly<Record<string, MigrationKind>>;
  readonly kind: "deploy" | "repair" | "rollback";
  /** The images that stay on the host; of the stack's own builds all others go. */
  readonly retained: readonly string[];
  /** Those of the containers, by their full names, with how often each was made. */
  readonly volumes: readonly { name: string; generation: number }[];
  readonly record: ReleaseRecord;
  /** Why it cannot be done as configured, each with a cure. */
  readonly refusals: readonly string[];
}

export interface Step {
  readonly verb: string;
  readonly arguments: readonly string[];
}

/** What happens to one container. */
export interface Change {
  readonly service: string;
  readonly kind: "same" | "new" | "repair" | "replace" | "remove";
  readonly order?: Order;
  /** MiB left if it starts beside the old version, when the most runs; as far as the host told. */
  readonly headroom?: number;
  readonly memory: number;
}

/** A container that is wanted, and what a release must know besides its description. */
export interface Wanted {
  readonly container: NamedContainer;
  readonly migration: NamedContainer | undefined;
  /** Part of a release's name, also of one that is gone back to and runs it no more. */
  readonly migrationKey: string | undefined;
  readonly migrationKind: MigrationKind;
  readonly order: "auto" | Order;
  /** The volumes that only one container may write to. */
  readonly exclusive: readonly string[];
  readonly needs: readonly string[];
}

/**
 * @param wanted every container in an order in which each comes after what it needs: database, proxy, services
 * @param routesScript the text of host/proxy/routes.js
 */
export function planRelease(
  config: Config,
  wanted: readonly Wanted[],
  record: Omit<ReleaseRecord, "site">,
  facts: Facts,
  routesScript: string,
): Plan {
  const site = siteConfig(config, routesScript);
  const full: ReleaseRecord = { ...record, site: siteDigest(site) };
  const release = digest({
    keys: wanted.flatMap(({ container, migrationKey }) => [container.key, migrationKey ?? ""]),
    site: full.site,
    smoke: config.smoke,
  });
  const situation = new Situation(config, wanted, facts, site, routesScript);
  const planner = new Planner(situation, site, routesScript);
  planner.plan();
  const { script } = planner;
  const settled =
    facts.current?.release === release &&
    !facts.interrupted &&
    situation.undisturbed() &&
    situation.items.every((item) => situation.pendingMigration(item) === undefined);
  const epoch = facts.current?.epoch ?? 0;
  return {
    release,
    base: facts.current === undefined ? "none 0" : `${facts.current.release} ${facts.current.epoch}`,
    epoch: settled ? epoch : epoch + 1,
    steps: script.steps,
    texts: script.texts,
    labels: script.labels,
    needs: planner.needs(),
    spare: planner.spare,
    changes: planner.changes,
    drift: situation.drift,
    migrations: planner.migrations,
    volumes: volumesOf(wanted, facts),
    retained: imagesToKeep([full, ...unrecorded(facts)], releasesToKeep(facts.ledger, release, config.keep)),
    kind: kindOf(config, release, facts),
    record: full,
    refusals: [...versionRefusals(full, facts), ...planner.refusals],
  };
}

function volumesOf(wanted: readonly Wanted[], facts: Facts): Plan["volumes"] {
  const mounts = wanted.flatMap(({ container }) => container.spec.mounts);
  const names = new Set(mounts.filter(({ type }) => type === "volume").map(({ source }) => source));
  return [...names].map((name) => ({ name, generation: generation(facts, `volume:${name}`) }));
}

/** What serves and is not in the ledger: a release of an older program, or the ledger was lost. */
function unrecorded(facts: Facts): ReleaseRecord[] {
  return facts.current === undefined || servingEntry(facts) !== undefined ? [] : [facts.current.record];
}

/** A pin that was done before and is only put right is a repair like any other. */
function kindOf({ rollbackTo }: Config, release: string, { current }: Facts): Plan["kind"] {
  if (current?.release === release) return "repair";
  return rollbackTo === undefined ? "deploy" : "rollback";
}

/** PostgreSQL of one major version does not read the data of another. */
function versionRefusals({ database: wanted }: ReleaseRecord, { current }: Facts): string[] {
  const before = current?.record.database;
  if (wanted === undefined || before === undefined) return [];
  if (wanted.volume !== before.volume || wanted.version === before.version) return [];
  return [
    `database.version: the volume ${before.volume} holds data of PostgreSQL ${before.version}, ` +
      `which ${wanted.version} cannot read. Keep ${before.version}; or name a new database.volume, deploy, and move ` +
      "the data over with pg_dump and pg_restore",
  ];
}

/** Containers to wait for first come first. Config has no circle (config/check.ts). */
export function byNeeds(config: Config): string[] {
  const sorted: string[] = [];
  const visit = (name: string) => {
    if (sorted.includes(name)) return;
    for (const need of config.services[name]?.needs ?? []) if (need !== "database") visit(need);
    sorted.push(name);
  };
  Object.keys(config.services).sort().forEach(visit);
  return sorted;
}
