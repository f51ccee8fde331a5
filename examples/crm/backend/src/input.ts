import { type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import * as z from "zod";

/** What is wrong with a request, field by field; the app answers it with 400. */
export class InputError extends Error {
  constructor(readonly issues: { path: string; message: string }[]) {
    super("invalid input");
  }
}

/** Text of 1 to `max` characters. PostgreSQL's text has no NUL. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(max, `must be at most ${max} characters`)
    .regex(/^[^\0]*$/, "must not contain NUL");

/** Empty and null both clear the field. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value) => (typeof value === "string" && value.trim() === "" ? null : value),
    schema.nullish(),
  );

/** The same fields for a PATCH: any of them, but not none. */
export const anyOf = <T extends z.ZodRawShape>(schema: z.ZodObject<T>) =>
  schema.partial().refine((fields) => Object.keys(fields).length > 0, "must change at least one field");

const listQuery = z.object({
  q: optional(text(200)),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InputError(result.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
}

/** @throws InputError */
export async function readBody<T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> {
  const body: unknown = await c.req.json().catch(() => {
    throw new InputError([{ path: "", message: "must be JSON" }]);
  });
  return check(schema, body);
}

/**
 * `?q=` as a pattern for ILIKE (matches all if absent) and `?limit=` (1-1000 records, 200 if absent).
 * @throws InputError
 */
export function readList(c: Context): { pattern: string; limit: number } {
  const { q, limit } = check(listQuery, c.req.query());
  return { pattern: `%${(q ?? "").replace(/[\\%_]/g, "\\$&")}%`, limit };
}

const idSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number);

/** @throws HTTPException 404 for an id that no record can have. */
export function readId(c: Context): number {
  const result = idSchema.safeParse(c.req.param("id"));
  return result.success ? result.data : notFound();
}

/** @throws HTTPException 404, always. */
export function notFound(): never {
  throw new HTTPException(404, { message: "not found" });
}
