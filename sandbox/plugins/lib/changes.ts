import { equal, isMap, type Value, type ValueMap } from "./values";

/** One difference between the last inputs and the new ones. */
export interface Change {
  /** A property path as the engine writes it: `build.args`, `triggers[0]`. */
  path: string;
  kind: "add" | "delete" | "update";
  replace: boolean;
  /** Found in what the plugin keeps and not in what the program says: ignoreChanges has no part in it. */
  kept?: boolean;
}

/** Every changed leaf, with its path. None of the changes asks for a replacement. */
export function leafChanges(before: ValueMap, after: ValueMap, prefix = ""): Change[] {
  return keysOf(before, after).flatMap((key) => changesAt(before[key], after[key], join(prefix, key)));
}

/** Every changed top-level input. `same` may see two values as equal that differ only in their order. */
export function inputChanges(
  before: ValueMap,
  after: ValueMap,
  same: (key: string, a: Value | undefined, b: Value | undefined) => boolean = (_, a, b) => equal(a, b),
): Change[] {
  return keysOf(before, after)
    .filter((key) => key !== "__defaults" && !same(key, before[key], after[key]))
    .map((key) => ({ path: key, kind: kindOf(before[key], after[key]), replace: false }));
}

function changesAt(before: Value | undefined, after: Value | undefined, path: string): Change[] {
  if (equal(before ?? null, after ?? null)) return [];
  if (isMap(before) && isMap(after)) return leafChanges(before, after, path);
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index).flatMap(
      (index) => changesAt(before[index], after[index], `${path}[${index}]`),
    );
  }
  return [{ path, kind: kindOf(before, after), replace: false }];
}

function kindOf(before: Value | undefined, after: Value | undefined): Change["kind"] {
  if ((before ?? null) === null) return "add";
  return (after ?? null) === null ? "delete" : "update";
}

function keysOf(before: ValueMap, after: ValueMap): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}

function join(prefix: string, key: string): string {
  const plain = /^[A-Za-z_$][\w$]*$/.test(key);
  if (!plain) return `${prefix}[${JSON.stringify(key)}]`;
  return prefix === "" ? key : `${prefix}.${key}`;
}
