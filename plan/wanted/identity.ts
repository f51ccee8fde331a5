import { createHash, createHmac } from "node:crypto";

/**
 * Names made from content: the same content has the same name on every machine, another content another name.
 */

/**
 * The version of what this program itself adds to a container. Raise it when a default changes, so that containers
 * made by the older program are replaced by a release and not taken for the same.
 */
export const DEFAULTS_VERSION = 1;

/** 48 bits: of a thousand releases two collide with a chance of 1 in 500 million. */
const DIGITS = 12;

export type Plain =
  string | number | boolean | null | undefined | readonly Plain[] | { readonly [key: string]: Plain };

/** JSON with sorted keys and without undefined: one text for one meaning. */
export function canonical(value: Plain): string {
  if (value === undefined || value === null) return "null";
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}

export function digest(value: Plain): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, DIGITS);
}

/** A secret enters a name only by this: without the key nothing can be learnt or guessed from it. */
export function secretDigest(key: string, secret: string): string {
  return createHmac("sha256", key).update(secret).digest("hex").slice(0, DIGITS);
}

/**
 * Each leaf of a description by its path, as a short digest: kept with a release, so that the next one can say
 * what changed without keeping the values.
 */
export function leaves(value: Plain, path = ""): Record<string, string> {
  if (typeof value !== "object" || value === null) {
    return value === undefined ? {} : { [path]: digest(value).slice(0, 8) };
  }
  const inner = isList(value)
    ? value.map((one, i): [string, Plain] => [String(i), one])
    : Object.entries(value);
  return Object.assign(
    {},
    ...inner.map(([key, one]) => leaves(one, path === "" ? key : `${path}.${key}`)),
  ) as Record<string, string>;
}

/** The paths that differ between two sets of leaves, sorted. */
export function differences(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort();
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
