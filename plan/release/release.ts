import { type Config, RESERVED_NAMES } from "../config/schema";
import type { Facts } from "../found/facts";
import { servingEntry } from "../found/ledger";
import { generation } from "../found/present";
import { recordedContainers, type ReleaseRecord } from "../found/record";
import { imagesToKeep, releasesToKeep } from "../found/retention";
import { siteConfig, siteDigest } from "../site/nginx";
import type { NamedContainer } from "../wanted/container";
import { digest } from "../wanted/identity";
import { jobLine, type Scheduled, scheduledJobs } from "../wanted/jobs";
import type { Plan } from "./plan";
import { Planner } from "./planner";
import { Situation } from "./situation";
import type { DescribedStack } from "./stack";

/**
 * @param stack what serves, each after what it needs; and beside it what is made and does not serve
 * @param routesScript the text of host/proxy/routes.js
 */
export function planRelease(
  config: Config,
  { wanted, beside, record }: Pick<DescribedStack, "wanted" | "beside" | "record">,
  facts: Facts,
  routesScript: string,
): Plan {
  const site = siteConfig(config, routesScript);
  const jobs = scheduledJobs(config);
  const full: ReleaseRecord = { ...record, site: siteDigest(site) };
  const release = digest({
    keys: wanted.flatMap(({ container, migrationKey }) => [container.key, migrationKey ?? ""]),
    site: full.site,
    smoke: config.smoke,
    // Without any, a release has the name that it had before there were jobs.
    ...(beside.length === 0 ? {} : { beside: beside.map(({ key }) => key), jobs: jobs.map(jobLine) }),
  });
  const situation = new Situation(config, wanted, facts, site, routesScript, beside);
  const planner = new Planner(situation, site, routesScript, beside);
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
    jobs,
    volumes: volumesOf([...wanted.map(({ container }) => container), ...beside], facts),
    freshVolumes: freshVolumes(full, facts),
    retained: imagesToKeep([full, ...unrecorded(facts)], releasesToKeep(facts.ledger, release, config.keep)),
    kind: kindOf(config, release, facts),
    record: full,
    refusals: [
      ...versionRefusals(full, facts),
      ...collationRefusals(full, facts),
      ...cronRefusals(jobs, facts),
      ...planner.refusals,
    ],
  };
}

/** Only where there are jobs: a host without cron is as good as any for the rest. */
function cronRefusals(jobs: readonly Scheduled[], { cron }: Facts): string[] {
  if (jobs.length === 0 || cron === undefined) return [];
  const zones = jobs
    .filter(({ zone }) => cron.lackingZones.includes(zone))
    .map(
      ({ name, zone }) =>
        `jobs.${name}.zone: the host knows no time zone ${zone} (Debian: apt-get install tzdata there)`,
    );
  switch (cron.state) {
    case "none":
      return ["jobs: the host has no cron, which starts them (Debian: apt-get install cron there)", ...zones];
    case "stopped":
      return ["jobs: cron does not run on the host (Debian: systemctl enable --now cron there)", ...zones];
    case "denied":
      return [
        `jobs: the crontab cannot be used on the host: ${cron.why} (man 1 crontab: cron.allow)`,
        ...zones,
      ];
    default:
      return zones;
  }
}

function volumesOf(containers: readonly NamedContainer[], facts: Facts): Plan["volumes"] {
  const mounts = containers.flatMap(({ spec }) => spec.mounts);
  const names = new Set(mounts.filter(({ type }) => type === "volume").map(({ source }) => source));
  return [...names].map((name) => ({ name, generation: generation(facts, `volume:${name}`) }));
}

function freshVolumes(record: ReleaseRecord, { current }: Facts): string[] {
  const used = current === undefined ? [] : recordedContainers(current.record);
  const fresh = recordedContainers(record).flatMap(([service, { made = {} }]) =>
    (RESERVED_NAMES as readonly string[]).includes(service)
      ? []
      : Object.entries(made)
          .filter(([name, generation]) => !used.some(([, before]) => before.made?.[name] === generation))
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
