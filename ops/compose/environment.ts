import { literal } from "../../plan/config/references";
import type { ImportedDatabase } from "./database";
import type { ComposeService } from "./model";
import type { Names } from "./names";
import { looksSecret, undoubled } from "./values";

export interface Environment {
  readonly env: Record<string, string>;
  readonly secrets: Record<string, string>;
  /** The names that the stack gives itself. */
  readonly given: readonly string[];
}

const PG = ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"];
const URL_OF_STACK =
  "://${database.user}:${database.password}@${database.host}:${database.port}/${database.name}";

/** A service's environment: what leads to the database is the stack's to say, what looks like a secret becomes one. */
export function environmentOf(
  service: ComposeService,
  names: Names,
  database: ImportedDatabase | undefined,
  port: number | undefined,
): Environment {
  const env: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  const given: string[] = [];
  for (const [name, value] of Object.entries(service.environment ?? {})) {
    if (value === null) continue;
    const plain = names.translated(undoubled(value));
    const text = database === undefined ? literal(plain) : referring(name, plain, database);
    const refers = text !== literal(plain);
    const known =
      (name === "PORT" && plain === String(port)) ||
      (refers &&
        (PG.includes(name) ||
          (name === "DATABASE_URL" && /^postgres(ql)?:/.test(text) && text.endsWith(URL_OF_STACK))));
    if (known) given.push(name);
    else if (!refers && plain !== "" && looksSecret(name, plain)) secrets[name] = plain;
    else env[name] = text;
  }
  return { env, secrets, given };
}

/** With references in place of what the stack decides. */
function referring(
  name: string,
  text: string,
  { name: host, user, database, password }: ImportedDatabase,
): string {
  if (text === password) return "${database.password}";
  if (text === host) return "${database.host}";
  if (text === `${host}:5432`) return "${database.host}:${database.port}";
  if (text === user && /USER|LOGIN/i.test(name)) return "${database.user}";
  if (text === database && /DB|DATABASE|NAME/i.test(name)) return "${database.name}";
  const url = /^([a-z0-9+.:]+):\/\/(?:[^/@]*@)?([\w.-]+)(?::\d+)?(\/[\w-]+)?(.*)$/i.exec(text);
  if (url === null || url[2] !== host) return literal(text);
  const [, scheme = "", , path, rest = ""] = url;
  const login = text.includes("@") ? "${database.user}:${database.password}@" : "";
  const where = path === undefined ? "" : path === `/${database}` ? "/${database.name}" : path;
  return `${scheme}://${login}\${database.host}:\${database.port}${where}${literal(rest)}`;
}
