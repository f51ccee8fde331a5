import { parse } from "dotenv";
import { suggestion } from "../plan/config/errors";
import { isPlaceholder } from "../plan/config/placeholder";
import { OpsError } from "./errors";

/** What an import of a file like .env.production does to a service's environment. Values never leave this module. */
export interface EnvImport {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** In the config but not in the file. */
  readonly missing: readonly string[];
  readonly unchanged: readonly string[];
  /** In the file, but the stack itself gives it to the service. */
  readonly provided: readonly string[];
  /** In the file, but still waits for its value. */
  readonly placeholders: readonly string[];
  /** What is to be set: a name, its value, and whether it is kept as a secret. */
  readonly writes: readonly { readonly name: string; readonly value: string; readonly secret: boolean }[];
}

export interface Existing {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Set by the stack for every service with a port or a database (plan/wanted/container.ts). */
const BY_STACK = new Set(["PORT", "DATABASE_URL", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"]);

/**
 * @param text the file
 * @param plain the names that are no secrets
 * @param keep the names that are imported although the stack gives them itself
 * @throws OpsError
 */
export function planEnvImport(
  text: string,
  existing: Existing,
  plain: ReadonlySet<string>,
  keep: ReadonlySet<string> = new Set(),
): EnvImport {
  const file = readEnvFile(text);
  refuseUnknown("--plain", plain, file);
  refuseUnknown("--keep", keep, file);
  const valuesOf = (group: Readonly<Record<string, string>>, secret: boolean) =>
    Object.entries(group).map(([name, value]) => [name, { value, secret }] as const);
  const before = new Map([...valuesOf(existing.env, false), ...valuesOf(existing.secrets, true)]);
  const names = [...file.keys()].sort();
  const provided = names.filter((name) => BY_STACK.has(name) && !keep.has(name));
  const placeholders = names.filter(
    (name) => !provided.includes(name) && isPlaceholder(file.get(name) ?? ""),
  );
  const wanted = names.filter((name) => !provided.includes(name) && !placeholders.includes(name));
  const same = (name: string) => {
    const old = before.get(name);
    return old !== undefined && old.value === file.get(name) && old.secret === !plain.has(name);
  };
  return {
    added: wanted.filter((name) => !before.has(name)),
    changed: wanted.filter((name) => before.has(name) && !same(name)),
    unchanged: wanted.filter(same),
    missing: [...before.keys()].filter((name) => !file.has(name)).sort(),
    provided,
    placeholders,
    writes: wanted
      .filter((name) => !same(name))
      .map((name) => ({ name, value: file.get(name) ?? "", secret: !plain.has(name) })),
  };
}

/** A name that the file does not have is a slip: what it was meant for would be kept, or left out, against the wish. */
function refuseUnknown(option: string, names: ReadonlySet<string>, file: ReadonlyMap<string, string>): void {
  for (const name of names) {
    if (file.has(name)) continue;
    throw new OpsError(
      `${option}: the file has no ${JSON.stringify(name)}${suggestion(name, [...file.keys()])}`,
    );
  }
}

/**
 * A line; where its value is in quotes, as many lines as they hold. After them only a comment may stand. What is
 * captured is the value with its quotes.
 */
const ITEM =
  /(?:(?![^\S\n]*#)[^=\n]*=[^\S\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)(?:[^\S\n]+#[^\n]*|[^\S\n]*)|[^\n]*)(?:\n|$)/g;

const NAME = /^[A-Za-z_]\w*$/;

/**
 * Names and values. dotenv reads what is in quotes, and no more than that: without quotes it ends a value at any #,
 * and what it cannot read it passes over in silence or keeps with half of its quotes (so does util.parseEnv). A secret
 * must not be cut, so the lines are told apart here, and what is not plain is refused.
 *
 * @throws OpsError with the numbers of the lines; a line itself may be part of a secret
 */
function readEnvFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const problems: string[] = [];
  let line = 1;
  for (const [item, quoted] of text.replace(/\r\n?/g, "\n").matchAll(ITEM)) {
    const told = readItem(item, quoted);
    if (typeof told === "string") problems.push(`line ${line}: ${told}`);
    else if (told !== undefined) values.set(told.name, told.value);
    line += item.split("\n").length - 1;
  }
  if (problems.length === 0) return values;
  throw new OpsError(
    `The file cannot be taken as it is; nothing was changed.\n${problems.map((one) => `  ${one}`).join("\n")}`,
  );
}

/**
 * @param quoted the value with its quotes, if it is in quotes
 * @returns undefined for a comment or a blank line; what is wrong, in words
 */
function readItem(
  item: string,
  quoted: string | undefined,
): { readonly name: string; readonly value: string } | string | undefined {
  if (/^\s*(#|$)/.test(item)) return undefined;
  const equals = item.indexOf("=");
  if (equals < 0)
    return "is neither NAME=value nor a comment: put # in front of it, or quotes around a value of several lines";
  const name = item
    .slice(0, equals)
    .trim()
    .replace(/^export\s+/, "");
  if (!NAME.test(name))
    return "the name must be of letters, digits and _, not beginning with a digit: rename it";
  if (quoted !== undefined) return { name, value: parse(`VALUE=${quoted}`).VALUE ?? "" };
  const value = item
    .slice(equals + 1)
    .replace(/\s#[^]*/, "")
    .trim();
  if (/^['"`]/.test(value))
    return "the value begins with a quote that is not closed at its end: close it there, or put other quotes around all of it";
  return { name, value };
}

/** In words, names only. */
export function describeEnvImport(
  service: string,
  { added, changed, missing, unchanged, provided, placeholders }: EnvImport,
  removes: boolean,
): string {
  const rows: [string, readonly string[]][] = [
    ["added", added],
    ["changed", changed],
    [removes ? "removed" : "only in the config (--remove takes them out)", missing],
    ["unchanged", unchanged],
    ["left out: the stack gives it itself (--keep NAME imports it all the same)", provided],
    ["left out: still a placeholder", placeholders],
  ];
  const told = rows.filter(([, names]) => names.length > 0);
  return [`services.${service}:`, ...told.map(([what, names]) => `  ${what}: ${names.join(", ")}`)].join(
    "\n",
  );
}
