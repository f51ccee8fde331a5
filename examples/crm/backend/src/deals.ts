import { Hono } from "hono";
import { sql } from "kysely";
import * as z from "zod";
import { isForeignKeyError, stages, type Database } from "./database";
import { anyOf, InputError, notFound, optional, readBody, readId, readList, text } from "./input";

const deal = z.strictObject({
  title: text(200),
  contactId: optional(z.int().positive().max(2_147_483_647)),
  /** Whole units of the currency. */
  amount: z.int("must be a whole number").min(0, "must not be negative").max(1_000_000_000),
  stage: z.enum(stages, `must be one of ${stages.join(", ")}`),
});
const changes = anyOf(deal);

/** GET / lists, newest first, with the contact's name; POST / creates; PATCH /:id edits. */
export function dealRoutes(database: Database): Hono {
  const routes = new Hono();

  routes.get("/", async (c) => {
    const { pattern, limit } = readList(c);
    const items = await database
      .selectFrom("deals")
      .leftJoin("contacts", "contacts.id", "deals.contactId")
      .selectAll("deals")
      .select("contacts.name as contactName")
      .where((where) =>
        where.or([where("title", "ilike", pattern), where("contacts.name", "ilike", pattern)]),
      )
      .orderBy("deals.id", "desc")
      .limit(limit)
      .execute();
    return c.json({ items });
  });

  routes.post("/", async (c) => {
    const values = await readBody(c, deal);
    const created = await database
      .insertInto("deals")
      .values(values)
      .returningAll()
      .executeTakeFirstOrThrow()
      .catch(explainContact);
    return c.json(created, 201);
  });

  routes.patch("/:id", async (c) => {
    const id = readId(c);
    const edited = await database
      .updateTable("deals")
      .set({ ...(await readBody(c, changes)), updatedAt: sql`now()` })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst()
      .catch(explainContact);
    return c.json(edited ?? notFound());
  });

  return routes;
}

function explainContact(error: unknown): never {
  if (isForeignKeyError(error)) throw new InputError([{ path: "contactId", message: "no such contact" }]);
  throw error;
}
