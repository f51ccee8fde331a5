import { z } from "zod";

/** What the host told (host/facts.sh), as plain values. */
export interface Facts {
  /** False when the host could not be reached or asked: all else is then as on an empty host. */
  readonly known: boolean;
  /** Why the host cannot be deployed to, each with its cure. */
  readonly errors: readonly string[];
  readonly platform: string | undefined;
  /** Who is deploying just now. */
  readonly active: string | undefined;
  /** A runner was killed in the middle. */
  readonly interrupted: boolean;
  /** KiB; used is without page cache, ours is the part of it that the stack's own containers use. */
  readonly memory: { readonly total: number; readonly used: number; readonly ours: number } | undefined;
  readonly containers: readonly { id: string; key: string; role: string; state: string }[];
  readonly images: readonly string[];
  /** Every container (key, id) and image (image:<tag>, tag) that a release used, and how often it was made anew. */
  readonly seen: ReadonlyMap<string, { id: string; generation: number }>;
  readonly current: Current | undefined;
}

/** What serves, as the last release recorded it. */
export interface Current {
  readonly release: string;
  readonly epoch: number;
  readonly objects: readonly { key: string; service: string; role: string; id: string; health: string }[];
  readonly record: ReleaseRecord;
}

const containerRecord = z.object({
  key: z.string(),
  image: z.string(),
  memory: z.number(),
  parts: z.record(z.string(), z.string()),
  build: z
    .object({
      hash: z.string(),
      why: z.string(),
      parts: z.record(z.string(), z.string()),
      files: z.record(z.string(), z.string()),
    })
    .optional(),
});

/** Kept on the host with a release; never holds a value of the environment, only digests. */
export const releaseRecord = z.object({
  site: z.string(),
  containers: z.record(z.string(), containerRecord),
  /** The names that the proxy carries for services. */
  names: z.array(z.string()).optional(),
  /** Which major version wrote the data, and where it is. */
  database: z.object({ version: z.number(), volume: z.string() }).optional(),
});
export type ReleaseRecord = z.infer<typeof releaseRecord>;
export type ContainerRecord = z.infer<typeof containerRecord>;

export const NO_FACTS: Facts = {
  known: false,
  errors: [],
  platform: undefined,
  active: undefined,
  interrupted: false,
  memory: undefined,
  containers: [],
  images: [],
  seen: new Map(),
  current: undefined,
};

/** @throws Error when the text is not whole (the connection dropped in the middle) or damaged. */
export function parseFacts(text: string): Facts {
  const lines = text.split("\n").filter((line) => line !== "");
  const errors = rest(lines, "error");
  const whole = lines.at(-1) === "end";
  if (!whole && errors.length === 0) throw new Error("the host's answer broke off");
  const [platform] = words(lines, "engine")[0] ?? [];
  const [total, used] = (words(lines, "memory")[0] ?? []).map((word) => wholeNumber(word, "memory"));
  const ours = wholeNumber(words(lines, "ours")[0]?.[0] ?? "0", "ours");
  return {
    known: whole,
    errors,
    platform,
    active: rest(lines, "active")[0],
    interrupted: lines.includes("interrupted"),
    memory: total === undefined || used === undefined ? undefined : { total, used, ours },
    containers: words(lines, "container").map(([id = "", key = "", role = "", state = ""]) => ({
      id,
      key,
      role,
      state,
    })),
    images: rest(lines, "image"),
    seen: new Map(
      words(lines, "seen").map(([key = "", id = "", made = ""]) => [
        key,
        { id, generation: wholeNumber(made, "seen") },
      ]),
    ),
    current: parseCurrent(rest(lines, "current")),
  };
}

function parseCurrent(lines: readonly string[]): Current | undefined {
  const release = rest(lines, "release")[0];
  const record = rest(lines, "record")[0];
  if (release === undefined || record === undefined) return undefined;
  return {
    release,
    epoch: wholeNumber(rest(lines, "epoch")[0] ?? "", "epoch"),
    objects: words(lines, "object").map(([key = "", service = "", role = "", id = "", , health = ""]) => ({
      key,
      service,
      role,
      id,
      health,
    })),
    record: parseRecord(record),
  };
}

function parseRecord(base64: string): ReleaseRecord {
  try {
    return releaseRecord.parse(JSON.parse(Buffer.from(base64, "base64").toString("utf8")));
  } catch (cause) {
    throw new Error("what the host remembers of the release that serves is damaged (its file `current`)", {
      cause,
    });
  }
}

function wholeNumber(word: string, what: string): number {
  if (!/^-?\d+$/.test(word)) throw new Error(`the host's answer is damaged: ${what} ${JSON.stringify(word)}`);
  return Number(word);
}

/**
 * How often a thing has had to be made anew: one more than at the last release if that one is gone. A resource with
 * this as its replacementTrigger is made again exactly when it is missing.
 */
export function generation(facts: Facts, key: string): number {
  const last = facts.seen.get(key);
  if (last === undefined) return 0;
  const present = key.startsWith("image:")
    ? facts.images.includes(last.id)
    : facts.containers.some(({ id }) => id === last.id);
  return present ? last.generation : last.generation + 1;
}

function rest(lines: readonly string[], word: string): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

function words(lines: readonly string[], word: string): string[][] {
  return rest(lines, word).map((line) => line.split(" "));
}
