import * as z from "zod";
import { parseFault } from "./fault";
import { reasonOf } from "./log";

const fault = z
  .string()
  .optional()
  .transform((text, context) => {
    try {
      return parseFault(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: reasonOf(error) });
      return z.NEVER;
    }
  });

const schema = z.object({
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: "must be set, like postgres://user:password@database:5432/crm",
  }),
  PORT: z.coerce
    .number({ error: "must be 1-65535" })
    .int("must be 1-65535")
    .min(1, "must be 1-65535")
    .max(65535, "must be 1-65535")
    .default(3000),
  CRM_FAULT: fault,
});

export type Config = z.infer<typeof schema>;

/**
 * Reads what the environment sets.
 * @throws Error with every mistake at once; never with the value of DATABASE_URL, which holds a password.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  throw new Error(result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}
