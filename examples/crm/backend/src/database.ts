import { CamelCasePlugin, Kysely, PostgresDialect, type Generated } from "kysely";
import pg from "pg";
import { log, reasonOf } from "./log";

export const stages = ["lead", "offer", "won", "lost"] as const;

interface Kept {
  id: Generated<number>;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

export interface Tables {
  contacts: Kept & { name: string; email: string | null; phone: string | null; company: string | null };
  deals: Kept & { title: string; contactId: number | null; amount: number; stage: (typeof stages)[number] };
}

export type Database = Kysely<Tables>;

/** Connects when the first query comes: a database that is away is an answer of 503, not a failed start. */
export function openPool(connectionString: string, settings: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, application_name: "crm-backend", ...settings });
  // Without listeners, a database that is restarted would end this process. The pool replaces what was lost.
  pool.on("error", (error) =>
    log("error", "an idle database connection was lost", { reason: reasonOf(error) }),
  );
  // One in use: its query fails and tells.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

export function openDatabase(pool: pg.Pool): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin()] });
}

/**
 * Resolves when the database has answered.
 * @throws Error when it did not within `timeoutMs`, connecting included.
 */
export async function ping(pool: pg.Pool, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  // query_timeout gives the connection up as well, so that checks of a frozen database do not use up the pool.
  const query = { text: "select 1", query_timeout: timeoutMs };
  await Promise.race([pool.query(query), late]).finally(() => clearTimeout(timer));
}

const SQLSTATE_FOREIGN_KEY = "23503";
// Shutting down, crashed, starting up, too many connections: https://www.postgresql.org/docs/15/errcodes-appendix.html
const awayStates = new Set(["57P01", "57P02", "57P03", "53300"]);
const awayMessages = /^Connection terminated|timeout exceeded when trying to connect|^Query read timeout/;

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

export const isForeignKeyError = (error: unknown) => codeOf(error) === SQLSTATE_FOREIGN_KEY;

/** True if the same request may succeed in a moment, once the database is back. */
export function isDatabaseAway(error: unknown): boolean {
  const code = codeOf(error);
  if (awayStates.has(code) || /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|EPIPE)/.test(code))
    return true;
  return error instanceof Error && awayMessages.test(error.message);
}
