import type { z } from "zod";
import { crossChecks } from "./check";
import { pathOf, withoutDots } from "./dotted";
import { ConfigError, describeIssue, pathText, typeWords } from "./errors";
import { withEnvFiles } from "./envFile";
import { type Notify, notify } from "./notify";
import { isHint } from "./placeholder";
import { type Config, schema } from "./schema";

type Path = readonly PropertyKey[];

/**
 * Reads a stack's config.
 *
 * @param raw key (without the namespace) -> value as Pulumi hands it over: texts as they are, all else as JSON.
 * @param fileText gives the text of a file of the project (envFile), or throws; without it such files are not read
 * @throws ConfigError with every problem at once.
 */
export function readConfig(
  raw: Readonly<Record<string, string>>,
  fileText?: (path: string) => string,
): Config {
  const { values, problems: dotted } = configTree(raw);
  if (fileText === undefined) return readValues(values, dotted);
  const { services, problems } = withEnvFiles(values.services, fileText);
  return readValues({ ...values, ...(services === undefined ? {} : { services }) }, [...dotted, ...problems]);
}

/** The same from values that are decoded already. @throws ConfigError */
export function readValues(values: Readonly<Record<string, unknown>>, found: readonly string[] = []): Config {
  const nodes = nodesOf(values);
  const placeholders = nodes.filter(isPlaceholder);
  const result = schema.safeParse(values, { error: typeWords, reportInput: true });
  const issues = (result.error?.issues ?? []).filter((issue) => !isCovered(issue, placeholders));
  const problems = [
    ...found,
    ...placeholders.map(({ path, value }) => `${pathText(path)}: is still a placeholder${hint(path, value)}`),
    ...issues.flatMap((issue) => describeIssue(issue, (path) => keysAt(schema, path))),
    // Anything but an object's prototype could be lost under this name on the way.
    ...nodes
      .filter(({ path }) => path.length > 1 && path.at(-1) === "__proto__")
      .map(({ path }) => `${pathText(path)}: cannot have this name`),
    ...crossChecks(values),
  ];
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

/**
 * Who is to be told, also when other settings are wrong: that is what there is to tell then.
 *
 * @returns nobody when this part is wrong itself
 */
export function readNotify(raw: Readonly<Record<string, string>>): Notify {
  const own = Object.entries(raw).filter(([key]) => pathOf(key)[0] === "notify");
  const { data } = notify.safeParse(configTree(Object.fromEntries(own)).values.notify ?? {});
  return data ?? { language: "en" };
}

/** The config as one tree, decoded but not checked: whoever looks for a setting finds it, however its key was written. */
export function configTree(raw: Readonly<Record<string, string>>) {
  return withoutDots(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, decode(key, value)])),
  );
}

/** Pulumi hands objects, lists and numbers over as JSON, and texts bare: the schema says which is which. */
function decode(key: string, value: string): unknown {
  const types = acceptedTypes(typeAt(schema, pathOf(key)));
  if (types.has("string") && !(types.has("array") && /^\s*[[{]/.test(value))) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function acceptedTypes(type: z.core.$ZodType | undefined): Set<string> {
  const inner = unwrap(type);
  switch (inner?._zod.def.type) {
    case "object":
    case "record":
      return new Set(["object"]);
    case "array":
    case "number":
    case "boolean":
      return new Set([inner._zod.def.type]);
    case "union": {
      const options = (inner as z.core.$ZodUnion)._zod.def.options;
      return new Set(options.flatMap((option) => [...acceptedTypes(option)]));
    }
    default:
      return new Set(["string"]);
  }
}

/** Strips optional, default, transform and preprocess from a schema. */
function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let now = type;
  for (;;) {
    const def = now?._zod.def as
      { innerType?: z.core.$ZodType; in?: z.core.$ZodType; out?: z.core.$ZodType } | undefined;
    const inner = def?.innerType ?? (def?.in?._zod.def.type === "transform" ? def.out : def?.in);
    if (inner === undefined) return now;
    now = inner;
  }
}

function typeAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let now: z.core.$ZodType | undefined = root;
  for (const part of path) {
    const def = unwrap(now)?._zod.def as
      | { shape?: Record<string, z.core.$ZodType>; valueType?: z.core.$ZodType; element?: z.core.$ZodType }
      | undefined;
    const { shape = {} } = def ?? {};
    now = Object.hasOwn(shape, part) ? shape[String(part)] : (def?.valueType ?? def?.element);
  }
  return now;
}

/** The keys that are allowed at a path of the config, for a suggestion. */
function keysAt(root: z.core.$ZodType, path: Path): string[] {
  const now = unwrap(typeAt(root, path));
  const shape = (now?._zod.def as { shape?: Record<string, unknown> } | undefined)?.shape;
  return Object.keys(shape ?? {});
}

interface Node {
  readonly path: Path;
  readonly value: unknown;
}

/** Every value of the config, groups and lists included, with its path. */
function nodesOf(value: unknown, path: Path = []): Node[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const below = inner.flatMap(([key, one]) =>
    nodesOf(one, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [{ path, value }, ...below];
}

/** Where a text in angle brackets may be meant as it stands: `contains: <title>CRM</title>`. */
const FREE_TEXT: Path = [
  ...["env", "secrets", "buildSecrets", "args", "contains"],
  ...["command", "migrate", "healthCommand", "settings"],
];

function isPlaceholder({ path, value }: Node): boolean {
  const freeText = path.some((part) => FREE_TEXT.includes(part));
  return typeof value === "string" && isHint(value, freeText);
}

/** What it waits for. A token may have been put into the brackets. */
function hint(path: Path, value: unknown): string {
  return path.at(-1) === "token" ? "" : `: ${String(value)}`;
}

/** What a placeholder is told of already. */
function isCovered({ code, path }: z.core.$ZodIssue, placeholders: readonly Node[]): boolean {
  return (
    code !== "unrecognized_keys" && placeholders.some((one) => path.every((part, i) => part === one.path[i]))
  );
}
