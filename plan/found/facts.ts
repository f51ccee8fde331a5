import { z } from "zod";
import { type Condition, NO_CONDITION, parseCondition } from "./condition";
import { type Entry, type Kept, parseKept, parseLedger } from "./ledger";

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
  /**
   * KiB; used is without page cache, ours is the part of it that the stack's own containers use, promised is what
   * others' containers may still grow by, up to their limits.
   */
  readonly memory:
    | { readonly total: number; readonly used: number; readonly ours: number; readonly promised?: number }
    | undefined;
  readonly containers: readonly FoundContainer[];
  /** The stack's own. */
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  /** What the proxy that runs has; undefined: none runs, or it could not be asked. */
  readonly proxy: FoundFiles | undefined;
  /** Every image of the engine: ID by tag (imageId). */
  readonly images: ReadonlyMap<string, string>;
  /** MiB that the builds of a service have taken on the host, the most of all. */
  readonly buildNeeds: ReadonlyMap<string, number>;
  /**
   * Every container (key, id), image (image:<tag>, id) and network (network:<kind>, id) that a release used, and how
   * often it was made anew.
   */
  readonly seen: ReadonlyMap<string, { id: string; generation: number }>;
  readonly current: Current | undefined;
  /** Every release that was tried, newest first. */
  readonly ledger: readonly Entry[];
  /** MB of an image, by its ID, that it shares with no other one; only if asked for. */
  readonly ownLayers: ReadonlyMap<string, number>;
  /** What is kept of the release that was asked for. */
  readonly kept: Kept | undefined;
  readonly condition: Condition;
  /** A name of the machine itself, made from its machine-id; undefined: it has none. */
  readonly machine: string | undefined;
  /** Whose the stack's folder on the host is. */
  readonly owner: Owner | undefined;
  /** Every volume of the engine; stack is project/stack of the one that made it, made how often it had to do so anew. */
  readonly volumes: readonly { name: string; stack: string | undefined; made: number }[];
  /** What containers of any stack, or of none, have mounted: names of volumes, and folders. */
  readonly mounts: readonly { stack: string | undefined; state: string; sources: readonly string[] }[];
}

/** Who may deploy to a host's folder: host/lib/owner.sh. */
export interface Owner {
  /** project/stack */
  readonly stack: string;
  /** A UUID that the state made for itself. */
  readonly lineage: string;
  readonly machine: string;
  readonly by: string;
  readonly since: string;
}

/** A container that bears the stack's label. What is undefined the host has not told. */
export interface FoundContainer {
  readonly id: string;
  readonly key: string;
  readonly role: string;
  readonly state: string;
  /** unhealthy only if Docker says so and asking once more, just now, has not shown otherwise. */
  readonly health?: string;
  /** MiB; 0: no limit. */
  readonly memory?: number;
  /** The restart policy. */
  readonly restart?: string;
  readonly networks?: readonly { readonly id: string; readonly name: string }[];
}

/** nginx's files in the proxy's volume. */
export interface FoundFiles {
  /** nginx.conf, routes.js -> SHA-256 in hex, or "missing". */
  readonly files: ReadonlyMap<string, string>;
  /** The text of routes.json. */
  readonly routes: string | undefined;
  /** The site that nginx has loaded, by its digest. */
  readonly loaded: string;
}

/** What serves, as the last release recorded it. */
export interface Current {
  readonly release: string;
  /** In the ledger; 0: a release of an older program. */
  readonly number: number;
  readonly epoch: number;
  readonly objects: readonly { key: string; service: string; role: string; id: string; health: string }[];
  readonly record: ReleaseRecord;
}

const containerRecord = z.object({
  key: z.string(),
  image: z.string(),
  memory: z.number(),
  /** The volumes it has; a release of an older program did not tell. */
  volumes: z.array(z.string()).optional(),
  /** How often each of them had to be made anew. */
  made: z.record(z.string(), z.number()).optional(),
  parts: z.record(z.string(), z.string()),
  build: z
    .object({
      hash: z.string(),
      why: z.string(),
      parts: z.record(z.string(), z.string()),
      files: z.record(z.string(), z.string()),
      /** Where it was built; records of the first program do not say so, and built on the host. */
      place: z.enum(["host", "local", "kept"]).default("host"),
    })
    .optional(),
});

/** Kept on the host with a release; never holds a value of the environment, only digests. */
export const releaseRecord = z.object({
  site: z.string(),
  containers: z.record(z.string(), containerRecord),
  /** The names that the proxy carries for services. */
  names: z.array(z.string()).optional(),
  /** Which major version wrote the data, where it is, and how often that volume had to be made anew. */
  database: z.object({ version: z.number(), volume: z.string(), made: z.number().default(0) }).optional(),
});
export type ReleaseRecord = z.infer<typeof releaseRecord>;
export type ContainerRecord = z.infer<typeof containerRecord>;
export type RecordedBuild = NonNullable<ContainerRecord["build"]>;

export const NO_FACTS: Facts = {
  known: false,
  errors: [],
  platform: undefined,
  active: undefined,
  interrupted: false,
  memory: undefined,
  containers: [],
  networks: [],
  proxy: undefined,
  images: new Map(),
  buildNeeds: new Map(),
  seen: new Map(),
  current: undefined,
  ledger: [],
  ownLayers: new Map(),
  kept: undefined,
  condition: NO_CONDITION,
  machine: undefined,
  owner: undefined,
  volumes: [],
  mounts: [],
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
  const promised = wholeNumber(words(lines, "promised")[0]?.[0] ?? "0", "promised");
  return {
    known: whole,
    errors,
    platform,
    active: rest(lines, "active")[0],
    interrupted: lines.includes("interrupted"),
    memory:
      total === undefined || used === undefined
        ? undefined
        : { total, used, ours, ...(promised > 0 ? { promised } : {}) },
    containers: words(lines, "container").map(([id = "", key = "", role = "", state = ""]) => ({
      id,
      key,
      role,
      state,
      ...parseDetail(words(lines, "detail").find(([one]) => one === id)),
    })),
    networks: words(lines, "network").map(([id = "", name = ""]) => ({ id, name })),
    proxy: parseFiles(lines),
    images: new Map(words(lines, "image").map(([tag = "", id = ""]) => [tag, id])),
    buildNeeds: new Map(
      words(lines, "need").map(([service = "", mib = ""]) => [service, wholeNumber(mib, "need")]),
    ),
    seen: new Map(
      words(lines, "seen").map(([key = "", id = "", made = ""]) => [
        key,
        { id, generation: wholeNumber(made, "seen") },
      ]),
    ),
    current: parseCurrent(rest(lines, "current")),
    ledger: parseLedger(rest(lines, "ledger")),
    ownLayers: new Map(
      words(lines, "layers").map(([id = "", size = ""]): [string, number] => [id, megabytes(size)]),
    ),
    kept: parseKept(rest(lines, "ledger")),
    condition: parseCondition(lines),
    machine: rest(lines, "machine").find((one) => one !== ""),
    owner: parseOwner(rest(lines, "owner")),
    volumes: words(lines, "volume").map(([name = "", made = "", stack]) => ({
      name,
      stack: textOf(stack),
      made: wholeNumber(made, "volume"),
    })),
    mounts: words(lines, "mounts").map(([state = "", stack, ...sources]) => ({
      state,
      stack: textOf(stack),
      // A folder's name may have spaces; a volume's has neither those nor commas.
      sources: sources.join(" ").split(","),
    })),
  };
}

function parseOwner(lines: readonly string[]): Owner | undefined {
  if (lines.length === 0) return undefined;
  const value = (word: string): string => rest(lines, word)[0] ?? "";
  return {
    stack: value("stack"),
    lineage: value("lineage"),
    machine: value("machine"),
    by: value("by"),
    since: value("since"),
  };
}

function textOf(word: string | undefined): string | undefined {
  return word === "" ? undefined : word;
}

function parseDetail(detail: readonly string[] | undefined): Partial<FoundContainer> {
  if (detail === undefined) return {};
  const [, health = "", bytes = "", restart = "", networks = ""] = detail;
  return {
    health,
    memory: Math.round(wholeNumber(bytes, "detail") / 1024 ** 2),
    restart,
    networks: networks
      .split(",")
      .filter((one) => one !== "")
      .map((one) => {
        const at = one.lastIndexOf("=");
        return { name: one.slice(0, at), id: one.slice(at + 1) };
      }),
  };
}

function parseFiles(lines: readonly string[]): FoundFiles | undefined {
  const loaded = words(lines, "proxy-site")[0];
  if (loaded === undefined) return undefined;
  const routes = rest(lines, "proxy-routes")[0];
  return {
    files: new Map(
      words(lines, "proxy-file").flatMap(([name = "", found = ""]) => (found === "" ? [] : [[name, found]])),
    ),
    routes: routes === undefined ? undefined : Buffer.from(routes, "base64").toString("utf8"),
    loaded: loaded[0] ?? "",
  };
}

function parseCurrent(lines: readonly string[]): Current | undefined {
  const release = rest(lines, "release")[0];
  const record = rest(lines, "record")[0];
  if (release === undefined || record === undefined) return undefined;
  return {
    release,
    number: wholeNumber(rest(lines, "number")[0] ?? "0", "number"),
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

/** As docker writes sizes: 1.5kB, 20MB, 1.2GB. */
function megabytes(size: string): number {
  const [, number = "0", unit = ""] = /^([\d.]+)([kMGT]?)B$/.exec(size) ?? [];
  return (Number(number) * ({ k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[unit] ?? 1)) / 1e6;
}

/**
 * How often a thing has had to be made anew: one more than at the last release if that one is gone. A resource with
 * this as its replacementTrigger is made again exactly when it is missing.
 */
export function generation(facts: Facts, key: string): number {
  const last = facts.seen.get(key);
  // A volume bears the number itself: that its data is new must not be forgotten with a run that was killed.
  const volume = facts.volumes.find(({ name }) => key === `volume:${name}`);
  if (volume !== undefined) return Math.max(volume.made, last?.generation ?? 0);
  if (last === undefined) return servedFrom(facts, key) ? 1 : 0;
  return isPresent(facts, key, last.id) ? last.generation : last.generation + 1;
}

/** Of a volume: a release of an older program did not count how often it was made. */
function servedFrom({ current }: Facts, key: string): boolean {
  return Object.values(current?.record.containers ?? {}).some(({ volumes = [] }) =>
    volumes.some((name) => key === `volume:${name}`),
  );
}

function isPresent(facts: Facts, key: string, wanted: string): boolean {
  if (key.startsWith("image:")) return hasImage(facts, key.slice("image:".length)) === "intact";
  if (key.startsWith("network:")) return facts.networks.some(({ id }) => id === wanted);
  return facts.containers.some((one) => one.id === wanted && isThere(one));
}

/** Whether it can be started at all: a dead one is only a name. */
export function isThere({ state }: FoundContainer): boolean {
  return state !== "dead" && state !== "removing";
}

/**
 * What the host has under a tag: the very image that a release used (intact), another one, none, or one that no
 * release has used (unknown: a killed run, or somebody's own).
 */
export function hasImage(facts: Facts, tag: string): "intact" | "other" | "absent" | "unknown" {
  const used = facts.seen.get(`image:${tag}`)?.id;
  const found = imageId(facts, tag);
  if (found === undefined) return "absent";
  if (used === undefined) return "unknown";
  // The first program remembered the tag in place of the ID.
  return used === found || used === tag ? "intact" : "other";
}

/** The ID of what the host has under an image's name. `docker images` leaves out of names what the client adds itself. */
export function imageId({ images }: Facts, reference: string): string | undefined {
  const [, path] = /^(?:index\.)?docker\.io\/(.+)$/.exec(reference) ?? [];
  return images.get((path ?? reference).replace(/^library\/(?=[^/]+$)/, ""));
}

function rest(lines: readonly string[], word: string): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

function words(lines: readonly string[], word: string): string[][] {
  return rest(lines, word).map((line) => line.split(" "));
}
