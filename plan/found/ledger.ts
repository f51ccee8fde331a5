import type { Config } from "../config/schema";
import { dataIsNew } from "./data";
import type { Entry } from "./entry";
import type { Facts } from "./facts";
import { imageId } from "./present";
import type { ReleaseRecord } from "./record";

/** The config as it is now: the values of secrets are kept nowhere else. */
export type Today = Pick<Config, "services">;

/** Why the host cannot go back to a release, each with its cause; none: it can, without a build. */
export function obstacles(entry: Entry, facts: Facts, today: Today): string[] {
  if (entry.result !== "done") return [`it did not succeed (${entry.result})`];
  const { ledger, current } = facts;
  const missing = lostImages(entry, facts)
    .filter(({ reference, id }) => !stillRuns(entry, reference, id, facts))
    .map(({ words }) => words);
  const before = current?.record.database;
  const version =
    entry.database !== undefined &&
    before?.volume === entry.database.volume &&
    before.version !== entry.database.version
      ? [`it ran PostgreSQL ${entry.database.version}, which cannot read the data of ${before.version}`]
      : [];
  const unknown = entry.images.size === 0 ? ["what it ran is not on record"] : [];
  return [
    ...unknown,
    ...missing,
    ...version,
    ...dataProblems(entry, facts),
    ...migratedSince(entry, ledger),
    ...lackedSecrets(entry.secrets, today).map((words) => `it ${words}`),
  ];
}

/** Of the images that a release ran those that the host does not have any more under their names. */
export function lostImages(
  { images }: Entry,
  facts: Facts,
): { reference: string; id: string; words: string }[] {
  return [...images].flatMap(([reference, id]) => {
    const found = imageId(facts, reference);
    // One that is named by its digest can be had again and is the same.
    if (found === id || reference.includes("@")) return [];
    const what = found === undefined ? "is gone from" : "is another one now on";
    return [{ reference, id, words: `its image ${reference} ${what} the host` }];
  });
}

/** What a release needs of today's config and does not find there. */
export function lackedSecrets(needed: Entry["secrets"], { services }: Today): string[] {
  return needed.flatMap(({ service, name }) => {
    const now = services[service]?.secrets ?? {};
    if (now[name] !== undefined) return [];
    const cure = services[service] === undefined ? "revert" : "set it, or revert";
    return [
      `needs services.${service}.secrets.${name}, which is not in the config any more: ${cure} the commit that took it ` +
        "out instead",
    ];
  });
}

/** No migration runs in a rollback, so data that is gone, or begins anew, would stay without its tables. */
function dataProblems({ database }: Entry, facts: Facts): string[] {
  if (database === undefined || !facts.known) return [];
  if (!facts.volumes.some(({ name }) => name === database.volume))
    return [`its data is gone: the volume ${database.volume} is not on the host`];
  const same = facts.current?.record.database?.volume === database.volume;
  return same && dataIsNew(facts, database.volume)
    ? [`its data was lost, and the new volume ${database.volume} has not been migrated`]
    : [];
}

/** Whatever its name means by now: the containers of the release that run it are those that serve, and just stay. */
function stillRuns(entry: Entry, reference: string, id: string, facts: Facts): boolean {
  if (servingEntry(facts)?.images.get(reference) !== id) return false;
  return runsAlone(entry, reference, facts.current?.record);
}

/** Whether all that run an image, by what a release records, are containers of this one. */
export function runsAlone({ serves }: Entry, reference: string, record: ReleaseRecord | undefined): boolean {
  const users = Object.values(record?.containers ?? {}).filter(({ image }) => image === reference);
  return users.length > 0 && users.every(({ key }) => serves.includes(key));
}

/** Whether the host can go back to it. */
export function isReady(entry: Entry, facts: Facts, today: Today): boolean {
  return obstacles(entry, facts, today).length === 0;
}

/** Later migrations of the same data that the release does not work with. */
export function migratedSince(entry: Entry, ledger: readonly Entry[]): string[] {
  const later = ledger.filter(
    ({ number, database }) => number > entry.number && database?.volume === entry.database?.volume,
  );
  return later.flatMap(({ number, after, migrations }) =>
    migrations.flatMap(({ key, kind }) => {
      const replaced = ledger.find((one) => one.number === after)?.release;
      if (kind === "expand" || (kind === "contract" && replaced === entry.release)) return [];
      return [
        `release ${number} has run ${key} (${kind}) since, and the older code does not work with its data`,
      ];
    }),
  );
}

/**
 * The release that a person means by "the last good one": the newest that can be gone back to and is not what serves.
 * After going back, one before the release that was gone back to: what came after it was left for a reason.
 */
export function lastGood(facts: Facts, today: Today): Entry | undefined {
  const { ledger, current } = facts;
  const serving = servingEntry(facts);
  const origin = serving && originOf(serving, ledger);
  const before = origin === serving ? Number.POSITIVE_INFINITY : (origin?.number ?? 0);
  return ledger.find(
    (entry) =>
      entry.number < before &&
      ![current?.release, origin?.release].includes(entry.release) &&
      isReady(entry, facts, today),
  );
}

/** The release that one which goes back brings back in the end. */
function originOf(entry: Entry, ledger: readonly Entry[]): Entry {
  const target = ledger.find(({ number }) => number === entry.to && number < entry.number);
  return target === undefined ? entry : originOf(target, ledger);
}

/** What serves, by its number; undefined: a release of an older program, or none. */
export function servingEntry({ ledger, current }: Facts): Entry | undefined {
  return ledger.find(({ number }) => number === current?.number);
}
