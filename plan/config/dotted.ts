import { pathText } from "./errors";

/**
 * A key with dots, such as `host.address`, is a path into the config, as if it stood in `host`. So a template can ask for
 * single settings, and `pulumi config set host.address ...` does what is meant with and without --path.
 */

type Group = Record<string, unknown>;

/**
 * @param values by their keys, decoded
 * @returns the config as one tree, and what does not go together
 */
export function withoutDots(values: Readonly<Group>): { values: Group; problems: string[] } {
  const tree: Group = {};
  const problems: string[] = [];
  // Whole groups first: what is single goes into them.
  const keys = Object.keys(values).sort((one, other) => pathOf(one).length - pathOf(other).length);
  for (const key of keys) {
    const problem = put(tree, pathOf(key), values[key]);
    if (problem !== undefined) problems.push(`${key}: ${problem}`);
  }
  return { values: tree, problems };
}

/** What is no path is one name, which the schema will not know. */
export function pathOf(key: string): string[] {
  const parts = key.split(".");
  return parts.every((part) => /^[\w-]+$/.test(part) && part !== "__proto__") ? parts : [key];
}

/** @returns why it has no place there */
function put(tree: Group, path: readonly string[], value: unknown): string | undefined {
  const [last = "", ...before] = [...path].reverse();
  let group = tree;
  for (const [i, part] of before.reverse().entries()) {
    const inner = Object.hasOwn(group, part) ? group[part] : {};
    if (!isGroup(inner))
      return `${pathText(path.slice(0, i + 1))} stands in the config too, and has nothing below it: keep one`;
    // What is Pulumi's is not changed.
    group = group[part] = { ...inner };
  }
  if (Object.hasOwn(group, last))
    return `stands in the config twice, as ${path.join(".")} and within ${path[0] ?? ""}: keep one`;
  // By any name, __proto__ too.
  Object.defineProperty(group, last, { value, enumerable: true, configurable: true, writable: true });
  return undefined;
}

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
