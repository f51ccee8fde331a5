import { parseEnvFile } from "../plan/config/envFile";
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

/** @throws OpsError with the numbers of the lines; a line itself may be part of a secret */
function readEnvFile(text: string): ReadonlyMap<string, string> {
  const { values, problems } = parseEnvFile(text);
  if (problems.length === 0) return values;
  throw new OpsError(
    `The file cannot be taken as it is; nothing was changed.\n${problems.map((one) => `  ${one}`).join("\n")}`,
  );
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
