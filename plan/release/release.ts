import { type Config, RESERVED_NAMES } from "../config/schema";
import type { Facts } from "../found/facts";
import { servingEntry } from "../found/ledger";
import { generation } from "../found/present";
import type { ReleaseRecord } from "../found/record";
import { imagesToKeep, releasesToKeep } from "../found/retention";
import { siteConfig, siteDigest } from "../site/nginx";
import { digest } from "../wanted/identity";
import type { Plan, Wanted } from "./plan";
import { Planner } from "./planner";
import { Situation } from "./situation";

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
    freshVolumes: freshVolumes(full, facts),
    retained: imagesToKeep([full, ...unrecorded(facts)], releasesToKeep(facts.ledger, release, config.keep)),
    kind: kindOf(config, release, facts),
    record: full,
    refusals: [...versionRefusals(full, facts), ...collationRefusals(full, facts), ...planner.refusals],
  };
}

function volumesOf(wanted: readonly Wanted[], facts: Facts): Plan["volumes"] {
  const mounts = wanted.flatMap(({ container }) => container.spec.mounts);
  const names = new Set(mounts.filter(({ type }) => type === "volume").map(({ source }) => source));
  return [...names].map((name) => ({ name, generation: generation(facts, `volume:${name}`) }));
}

function freshVolumes({ containers }: ReleaseRecord, { current }: Facts): string[] {
  const used = Object.values(current?.record.containers ?? {});
  const fresh = Object.entries(containers).flatMap(([service, { made = {} }]) =>
    (RESERVED_NAMES as readonly string[]).includes(service)
      ? []
      : Object.entries(made)
          .filter(([name, generation]) => !used.some((before) => before.made?.[name] === generation))
          .map(([name]) => name),
  );
  return [...new Set(fresh)];
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

/**
 * Texts sort otherwise under musl (alpine) than under glibc, and an index that was made under the other one finds no longer
 * what is in it: https://wiki.postgresql.org/wiki/Locale_data_changes
 */
function collationRefusals({ database: wanted, containers }: ReleaseRecord, { current }: Facts): string[] {
  const before = current?.record.database;
  const [from, to] = [current?.record.containers.database?.image, containers.database?.image];
  if (wanted === undefined || before === undefined || from === undefined || to === undefined) return [];
  if (wanted.volume !== before.volume || wanted.made !== before.made || isMusl(from) === isMusl(to))
    return [];
  return [
    `database.image: the volume ${before.volume} holds data of ${from}, and ${to} sorts texts otherwise: indexes would ` +
      `miss what is in them. Keep ${from}; or name a new database.volume, deploy, and move the data over with ` +
      "pg_dump and pg_restore",
  ];
}

/** Of an image's name: alpine's come with musl. */
function isMusl(image: string): boolean {
  return /[:.-]alpine/.test(image);
}
