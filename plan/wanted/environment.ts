import { partsOf, type Reference } from "../config/references";
import type { Config, DatabaseConfig, ServiceConfig } from "../config/schema";

/** What a service is told by its environment. */

/** Stands for the database's password, which only Pulumi knows, in a text: no environment can carry this character. */
const PASSWORD = "\0";

/** An environment value: plain, a stack secret, or a text with the database's password in it. */
export type EnvValue =
  | { readonly plain: string }
  | { readonly secret: string }
  | { readonly withPassword: string; readonly version: number };

export function filledIn(
  { withPassword }: Extract<EnvValue, { withPassword: string }>,
  password: string,
): string {
  return withPassword.replaceAll(PASSWORD, () => password);
}

/** How the text enters a container's name; the older program wrote the password's place so. */
export function readable(withPassword: string): string {
  return withPassword.includes("{password}") ? withPassword : withPassword.replaceAll(PASSWORD, "{password}");
}

export function databasePassword({ passwordVersion }: DatabaseConfig): EnvValue {
  return { withPassword: PASSWORD, version: passwordVersion };
}

/**
 * Who logs in: each version of the password has a login of its own, which acts as the owner (host/verbs/data.sh). So
 * the services that still serve keep theirs until the new ones have taken over, however long that takes.
 */
export function databaseLogin({ user, passwordVersion }: DatabaseConfig): string {
  return passwordVersion === 1 ? user : `${user}_v${passwordVersion}`;
}

export function serviceEnv(service: ServiceConfig, config: Config): Record<string, EnvValue> {
  const { database } = config;
  const given: Record<string, EnvValue> = {
    ...Object.fromEntries(Object.entries(service.env).map(([name, text]) => [name, resolved(text, config)])),
    ...Object.fromEntries(Object.entries(service.secrets).map(([name, secret]) => [name, { secret }])),
  };
  const connection =
    database !== undefined && service.needs.includes("database")
      ? databaseEnv(database)
      : ({} as Record<string, EnvValue>);
  const port: Record<string, EnvValue> =
    service.port === undefined ? {} : { PORT: { plain: String(service.port) } };
  return { ...port, ...connection, ...given };
}

function resolved(text: string, config: Config): EnvValue {
  const whole = partsOf(text)
    .map((part) => (typeof part === "string" ? part : valueOf(part, config)))
    .join("");
  return whole.includes(PASSWORD) && config.database !== undefined
    ? { withPassword: whole, version: config.database.passwordVersion }
    : { plain: whole };
}

function valueOf({ of, what }: Reference, { database, services }: Config): string {
  const values =
    of === "database" ? database && ofDatabase(database) : services[of] && ofService(of, services[of]);
  const value = values?.[what];
  if (value === undefined)
    throw new Error(`\${${of}.${what}} is not known: config/check.ts refuses that before`);
  return value;
}

function ofDatabase(database: DatabaseConfig): Record<string, string> {
  const { name } = database;
  const user = databaseLogin(database);
  const url = `postgres://${user}:${PASSWORD}@database:5432/${name}`;
  return { host: "database", port: "5432", name, user, password: PASSWORD, url };
}

const LOOKS_SECRET = /(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIALS?)$/i;

/** The names in a service's plain env that look like secrets, and are not the stack's own. */
export function looksSecret({ env }: ServiceConfig): string[] {
  return Object.entries(env)
    .filter(
      ([name, text]) =>
        LOOKS_SECRET.test(name) && text !== "" && partsOf(text).every((part) => typeof part === "string"),
    )
    .map(([name]) => name);
}

/** As other services reach it: through the proxy where it is asked over HTTP, else itself. */
function ofService(name: string, { port, health }: ServiceConfig): Record<string, string> {
  if (port === undefined) return {};
  const scheme = health === undefined ? "tcp" : "http";
  return { host: name, port: String(port), url: `${scheme}://${name}:${port}` };
}

/** The names that PostgreSQL's own clients read, and the address in one for all others. */
function databaseEnv(database: DatabaseConfig): Record<string, EnvValue> {
  const { host = "", port = "", name = "", user = "", url = "" } = ofDatabase(database);
  return {
    DATABASE_URL: { withPassword: url, version: database.passwordVersion },
    PGHOST: { plain: host },
    PGPORT: { plain: port },
    PGUSER: { plain: user },
    PGDATABASE: { plain: name },
    PGPASSWORD: databasePassword(database),
  };
}
