import { Kysely, PostgresDialect } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { readConfig } from "./config";
import { openPool } from "./database";
import { log, reasonOf } from "./log";
import { migrations } from "./migrations";
import { version } from "./version";

const MIGRATION_TABLE = "kysely_migration";
// A change that waits for a lock also blocks every query behind it: better to fail, with nothing applied.
const lockTimeoutMs = 10_000;

/**
 * Applies what the database lacks, all in one transaction, under a lock that a second run waits for.
 * A database that is ahead of this version (after a rollback) is left as it is.
 */
async function migrate(): Promise<void> {
  const config = readConfig(process.env);
  const wanted = config.CRM_FAULT.name === "migrate" ? { ...migrations, "9999-fault": fault } : migrations;
  const pool = openPool(config.DATABASE_URL, {
    max: 2,
    connectionTimeoutMillis: 10_000,
    options: `-c lock_timeout=${lockTimeoutMs}`,
  });
  const database = new Kysely<{ [MIGRATION_TABLE]: { name: string } }>({
    dialect: new PostgresDialect({ pool }),
  });

  // Migrations of a later version count as known and done; the tool would call the history corrupt.
  async function withLaterOnes(): Promise<Record<string, Migration>> {
    const applied = await database.selectFrom(MIGRATION_TABLE).select("name").execute();
    const later = applied.filter(({ name }) => !(name in wanted));
    for (const { name } of later) log("info", `${name} was applied by another version; left as it is`);
    return { ...Object.fromEntries(later.map(({ name }) => [name, { up: async () => {} }])), ...wanted };
  }

  try {
    const migrator = new Migrator({
      db: database,
      provider: { getMigrations: withLaterOnes },
      migrationTableName: MIGRATION_TABLE,
      allowUnorderedMigrations: true,
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find(({ status }) => status === "Error");
      const what = failed === undefined ? "migration failed" : `migration ${failed.migrationName} failed`;
      throw new Error(`${what}, nothing was applied: ${reasonOf(error)}`);
    }
    log("info", "the database is up to date", {
      version,
      applied: results.map((result) => result.migrationName),
    });
  } finally {
    await database.destroy();
  }
}

const fault: Migration = {
  up: () => Promise.reject(new Error("CRM_FAULT=migrate: this migration fails on order")),
};

// As process 1 of a container there is no default action; the open transaction is rolled back.
process.once("SIGTERM", () => process.exit(143));

migrate().catch((error: unknown) => {
  log("error", reasonOf(error), { version });
  process.exitCode = 1;
});
