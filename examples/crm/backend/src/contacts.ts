import { Hono } from "hono";
import { sql } from "kysely";
import * as z from "zod";
import { type Database } from "./database";
import { anyOf, notFound, optional, readBody, readId, readList, text } from "./input";

const contact = z.strictObject({
  name: text(200),
  email: optional(text(254).pipe(z.email("must be an e-mail address"))),
  phone: optional(text(50)),
  company: optional(text(200)),
});
const changes = anyOf(contact);

/** GET / lists, newest first; POST / creates; PATCH /:id edits. */
export function contactRoutes(database: Database): Hono {
  const routes = new Hono();

  routes.get("/", async (c) => {
    const { pattern, limit } = readList(c);
    const items = await database
      .selectFrom("contacts")
      .selectAll()
      .where((where) =>
        where.or(
          (["name", "email", "phone", "company"] as const).map((column) => where(column, "ilike", pattern)),
        ),
      )
      .orderBy("id", "desc")
      .limit(limit)
      .execute();
    return c.json({ items });
  });

  routes.post("/", async (c) => {
    const values = await readBody(c, contact);
    const created = await database
      .insertInto("contacts")
      .values(values)
      .returningAll()
      .executeTakeFirstOrThrow();
    return c.json(created, 201);
  });

  routes.patch("/:id", async (c) => {
    const id = readId(c);
    const edited = await database
      .updateTable("contacts")
      .set({ ...(await readBody(c, changes)), updatedAt: sql`now()` })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    return c.json(edited ?? notFound());
  });

  return routes;
}
