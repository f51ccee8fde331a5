import { createHash, randomBytes } from "node:crypto";
import type { ValueMap } from "../lib/values";

/**
 * Gives a resource without a `name` one of its own, `<logical name>-<7 hex digits>`, and keeps it for as long as
 * the resource lives: a name in `__defaults` is the provider's, not the program's.
 */
export function withName(logicalName: string, news: ValueMap, olds: ValueMap, seed: Uint8Array): ValueMap {
  if (news["name"] !== undefined && !isAutomatic(news)) return news;
  const source = seed.length > 0 ? seed : randomBytes(32);
  const suffix = createHash("sha256").update(source).digest("hex").slice(0, 7);
  const kept = isAutomatic(olds) ? olds["name"] : undefined;
  return { ...news, name: kept ?? `${logicalName}-${suffix}`, __defaults: ["name"] };
}

/** A name that the program chose is taken until the old one is gone: the old one must go first. */
export function nameIsFixed(news: ValueMap): boolean {
  return !isAutomatic(news);
}

function isAutomatic(inputs: ValueMap): boolean {
  const defaults = inputs["__defaults"];
  return Array.isArray(defaults) && defaults.includes("name");
}
