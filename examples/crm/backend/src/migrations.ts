import { sql, type Kysely } from "kysely";
import { type Migration } from "kysely/migration";

/**
 * The schema's history: names sort in the order in which they run, and one that was released never changes.
 * Each must leave the version before it working, because that version serves until the new one is healthy
 * and serves again after a rollback: add first, remove a release later.
 */
export const migrations: Record<string, Migration> = {
  "0001-contacts": {
    up: (database) =>
      kept(database, "contacts")
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("email", "text")
        .addColumn("phone", "text")
        .addColumn("company", "text")
        .execute(),
  },
  "0002-deals": {
    async up(database) {
      await kept(database, "deals")
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("contact_id", "integer", (column) => column.references("contacts.id").onDelete("set null"))
        .addColumn("amount", "integer", (column) => column.notNull())
        .addColumn("stage", "text", (column) => column.notNull())
        .execute();
      await database.schema.createIndex("deals_contact_id").on("deals").column("contact_id").execute();
    },
  },
};

/** A table with the columns that every record has. */
function kept(database: Kysely<unknown>, name: string) {
  return database.schema
    .createTable(name)
    .addColumn("id", "integer", (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("updated_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`));
}
