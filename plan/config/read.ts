import type { z } from "zod";
import { crossChecks } from "./check";
import { ConfigError, describeIssue, pathText } from "./errors";
import { type Config, schema } from "./schema";

/**
 * Reads a stack's config.
 *
 * @param raw key (without the namespace) -> value as Pulumi hands it over: texts as they are, all else as JSON.
 * @throws ConfigError with every problem at once.
 */
export function readConfig(raw: Readonly<Record<string, string>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    values[key] = decode(key, value, problems);
  }
  const placeholders = findPlaceholders(values);
  problems.push(...placeholders.map(({ path, text }) => `${path}: is still a placeholder: ${text}`));
  const covered = new Set(placeholders.map(({ path }) => path));

  const result = schema.safeParse(values);
  if (!result.success) {
    for (const issue of result.error.issues) {
      if (covered.has(pathText(issue.path))) continue;
      const known = (path: readonly PropertyKey[]) => keysAt(schema, path);
      problems.push(
        ...describeIssue({ ...issue, input: valueAt(values, issue.path) } as z.core.$ZodIssue, known),
      );
    }
    throw new ConfigError(problems);
  }
  problems.push(...crossChecks(result.data));
  if (problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

/** Pulumi hands objects, lists and numbers over as JSON, and texts bare: the schema says which is which. */
function decode(key: string, value: string, problems: string[]): unknown {
  const types = acceptedTypes((schema.shape as Record<string, z.core.$ZodType | undefined>)[key]);
  if (!types.has("object") && !types.has("array")) return value;
  if (types.has("string") && !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    problems.push(`${key}: must be ${[...types].join(" or ")}, is a plain text`);
    return undefined;
  }
}

function acceptedTypes(type: z.core.$ZodType | undefined): Set<string> {
  const inner = unwrap(type);
  switch (inner?._zod.def.type) {
    case "object":
    case "record":
      return new Set(["object"]);
    case "array":
      return new Set(["array"]);
    case "union": {
      const options = (inner as z.core.$ZodUnion)._zod.def.options;
      return new Set(options.flatMap((option) => [...acceptedTypes(option)]));
    }
    default:
      return new Set(["string"]);
  }
}

/** Strips optional, default and transform from a schema. */
function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let now = type;
  for (;;) {
    const def = now?._zod.def as { innerType?: z.core.$ZodType; in?: z.core.$ZodType } | undefined;
    const inner = def?.innerType ?? def?.in;
    if (inner === undefined) return now;
    now = inner;
  }
}

/** The keys that are allowed at a path of the config, for a suggestion. */
function keysAt(root: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let now = unwrap(root);
  for (const part of path) {
    const def = now?._zod.def as
      | { shape?: Record<string, z.core.$ZodType>; valueType?: z.core.$ZodType; element?: z.core.$ZodType }
      | undefined;
    now = unwrap(def?.shape?.[String(part)] ?? def?.valueType ?? def?.element);
  }
  const shape = (now?._zod.def as { shape?: Record<string, unknown> } | undefined)?.shape;
  return Object.keys(shape ?? {});
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    values,
  );
}

/** A value such as "<the server's key: ssh-keyscan ...>" waits for the person who knows it. */
function findPlaceholders(value: unknown, path: PropertyKey[] = []): { path: string; text: string }[] {
  if (typeof value === "string") {
    const text = /^<(.+)>$/s.exec(value)?.[1];
    return text === undefined ? [] : [{ path: pathText(path), text }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    findPlaceholders(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
