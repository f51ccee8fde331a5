import { closest } from "fastest-levenshtein";
import type { z } from "zod";

/** Everything wrong with a stack's config, a line each; shown to people without a stack trace. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    const count = problems.length === 1 ? "1 thing is" : `${problems.length} things are`;
    super(
      `${count} wrong in the stack's config; nothing was changed\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

/** A zod path as people write it: services.backend.port, smoke[0].path. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
}

/** Suggests only what a slip of the finger explains: at most a third of the letters differ. */
export function suggestion(wrong: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const best = closest(wrong, known);
  return isSlip(wrong, best) ? `: did you mean ${best}?` : `; known are ${[...known].sort().join(", ")}`;
}

function isSlip(wrong: string, best: string): boolean {
  const shared = Array.from(wrong).filter((letter) => best.includes(letter)).length;
  return Math.abs(wrong.length - best.length) <= 2 && shared >= (wrong.length * 2) / 3;
}

/** The lines for one zod issue; `knownKeys` gives the keys that are allowed at a path. */
export function describeIssue(
  issue: z.core.$ZodIssue,
  knownKeys: (path: readonly PropertyKey[]) => readonly string[],
): string[] {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) => `${pathText([...issue.path, key])}: is not a setting${suggestion(key, knownKeys(issue.path))}`,
    );
  }
  if (issue.code === "invalid_key") return issue.issues.map((inner) => `${path}: ${inner.message}`);
  if (issue.code === "invalid_type" && issue.input === undefined) return [`${path}: is missing`];
  return [`${path}: ${issue.message}`];
}
