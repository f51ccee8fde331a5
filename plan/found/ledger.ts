import type { Config, MigrationKind } from "../config/schema";
import { dataIsNew } from "./drift";
import { type Facts, imageId, type ReleaseRecord } from "./facts";

/**
 * The releases that were tried, as the host remembers them (host/lib/ledger.sh), and which of them can be gone back to.
 */
export interface Entry {
  readonly number: number;
  /** Its name by content: releases of the same content have the same. */
  readonly release: string;
  readonly kind: "deploy" | "repair" | "rollback";
  /** The release that a rollback goes back to. */
  readonly to: number | undefined;
  /** What served when it began; 0: nothing. */
  readonly after: number;
  readonly by: string;
  /** Seconds since 1970. */
  readonly began: number;
  readonly ended: number | undefined;
  /** How long it took on the host. */
  readonly seconds: number | undefined;
  readonly result: "running" | "done" | "failed" | "interrupted";
  /** Why it failed, in the words of the runner. */
  readonly reason: string | undefined;
  readonly commits: readonly { readonly commit: string; readonly clean: boolean; readonly path: string }[];
  /** The keys of its containers. */
  readonly serves: readonly string[];
  /** Reference -> ID of what its containers run; none of one that did not succeed. */
  readonly images: ReadonlyMap<string, string>;
  /** The migrations that it began. */
  readonly migrations: readonly { readonly key: string; readonly kind: MigrationKind }[];
  /** PostgreSQL's major version, and where the data is. */
  readonly database: { readonly version: number; readonly volume: string } | undefined;
  /** The secrets that it has, by name; an entry of an older program does not tell. */
  readonly secrets: readonly { readonly service: string; readonly name: string }[];
  /** Only if asked for. */
  readonly steps: readonly { readonly seconds: number; readonly what: string }[];
  readonly undone: readonly string[];
}

/** What a release was made from, of the one that was asked for. */
export interface Kept {
  readonly config: unknown;
  readonly record: unknown;
}

/**
 * @param lines what the host told: NUMBER WORD VALUE...
 * @returns newest first; one that is damaged is left out, so that it never keeps a deploy from going on
 */
export function parseLedger(lines: readonly string[]): Entry[] {
  return [...grouped(lines)]
    .flatMap(([number, words]) => parseEntry(number, words))
    .sort((a, b) => b.number - a.number);
}

/** What was kept of the one release that was asked for; undefined: of none, or it is damaged. */
export function parseKept(lines: readonly string[]): Kept | undefined {
  const words = lines.map((line) => line.replace(/^\d+ /, ""));
  const value = (word: string): unknown => JSON.parse(unpack(valueOf(words, word) ?? "")) as unknown;
  try {
    return { config: value("config"), record: value("record") };
  } catch {
    return undefined;
  }
}

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
 * The releases whose images stay on the host: of different content, the newest first.
 *
 * @param serving its name; it counts, and always stays
 * @param keep how many
 */
export function releasesToKeep(ledger: readonly Entry[], serving: string, keep: number): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of ledger) {
    if (entry.result === "done" && !newest.has(entry.release)) newest.set(entry.release, entry);
  }
  const others = [...newest.values()].filter(({ release }) => release !== serving);
  const own = newest.get(serving);
  return [...(own === undefined ? [] : [own]), ...others.slice(0, keep - 1)];
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

function parseEntry(number: number, lines: readonly string[]): Entry[] {
  const value = (word: string) => valueOf(lines, word);
  const count = (word: string) => Number(value(word) ?? Number.NaN);
  const list = (word: string) => valuesOf(lines, word);
  const release = value("release");
  const result = RESULTS.find((one) => one === value("result"));
  if (release === undefined || result === undefined || Number.isNaN(count("began"))) return [];
  const optional = (word: string) => (value(word) === undefined ? undefined : count(word));
  const [version, volume] = value("data")?.split(" ") ?? [];
  const reason = value("reason");
  return [
    {
      number,
      release,
      kind: KINDS.find((one) => one === value("kind")) ?? "deploy",
      to: optional("to"),
      after: optional("after") ?? 0,
      by: value("by") ?? "",
      began: count("began"),
      ended: optional("ended"),
      seconds: optional("seconds"),
      result,
      reason: reason === undefined ? undefined : unpack(reason),
      commits: list("commit").map((text) => {
        const [commit = "", clean = "", ...path] = text.split(" ");
        return { commit, clean: clean === "clean", path: path.join(" ") };
      }),
      serves: (value("serves") ?? "").split(" ").filter((key) => key !== ""),
      images: new Map(
        list("image").map((text): [string, string] => {
          const [reference = "", id = ""] = text.split(" ");
          return [reference, id];
        }),
      ),
      migrations: list("migrating").map((text) => {
        const [key = "", kind] = text.split(" ");
        return { key, kind: kind === "contract" || kind === "offline" ? kind : "expand" };
      }),
      database:
        version === undefined || volume === undefined ? undefined : { version: Number(version), volume },
      secrets: list("secret").map((text) => {
        const [service = "", name = ""] = text.split(" ");
        return { service, name };
      }),
      steps: list("step").map((text) => {
        const at = text.indexOf(" ");
        return { seconds: Number(text.slice(0, at)), what: text.slice(at + 1).trim() };
      }),
      undone: list("undone").map((text) => text.trim()),
    },
  ];
}

const RESULTS = ["running", "done", "failed", "interrupted"] as const;
const KINDS = ["deploy", "repair", "rollback"] as const;

function grouped(lines: readonly string[]): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const line of lines) {
    const [, number = "", text = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
    if (number !== "") groups.set(Number(number), [...(groups.get(Number(number)) ?? []), text]);
  }
  return groups;
}

function valuesOf(lines: readonly string[], word: string): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

function valueOf(lines: readonly string[], word: string): string | undefined {
  return valuesOf(lines, word)[0];
}

function unpack(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

/** The images that a plan needs or that stay for going back, by reference: only these of the stack's own stay. */
export function imagesToKeep(records: readonly ReleaseRecord[], kept: readonly Entry[]): string[] {
  const wanted = records.flatMap(({ containers }) => Object.values(containers).map(({ image }) => image));
  return [...new Set([...wanted, ...kept.flatMap(({ images }) => [...images.keys()])])].sort();
}
