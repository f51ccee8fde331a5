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

/** A zod path as people write it: services.backend.port, smoke[0].path; a strange name in quotes. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[\w-]+$/.test(String(part))) return `[${JSON.stringify(String(part))}]`;
      return `${i > 0 ? "." : ""}${String(part)}`;
    })
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

/** How to set what should never be typed into the file. */
const HOW: Readonly<Record<string, string>> = {
  "notify.telegram.token": ": pulumi config set --secret --path notify.telegram.token",
};

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
  if (issue.input === undefined) return [`${path}: is missing${HOW[path] ?? ""}`];
  return [`${path}: ${issue.message}`];
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a group of settings",
  record: "a group of settings",
};

/** What a schema says that has no words of its own for it. */
export function typeWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "too_small") return "must not be empty";
  return issue.code === "invalid_type"
    ? `must be ${KINDS[issue.expected] ?? issue.expected}, is ${inWords(issue.input)}`
    : undefined;
}

/** A value of the config, for the end of a sentence: a number as it is, anything larger by its kind. */
export function inWords(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return /^[0-9.-]{1,20}$/.test(value) ? `the text "${value}"` : "a text";
  return "a group of settings";
}
