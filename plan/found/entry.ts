import type { MigrationKind } from "../config/schema";
import { type Met, parseMet } from "./met";

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
  /** What visitors met meanwhile; undefined: it was not measured. */
  readonly met: Met | undefined;
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
      met: parseMet(value),
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
