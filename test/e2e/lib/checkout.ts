import { join } from "node:path";

/** The folder that holds index.ts. */
export const checkout = join(import.meta.dirname, "..", "..", "..");

/** What this checkout makes for itself, ignored by git. */
export const sandboxState = join(checkout, ".sandbox");
