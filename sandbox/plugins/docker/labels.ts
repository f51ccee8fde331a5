import { equal, isMap, type Value, type ValueMap } from "../lib/values";
import type { Input, Inputs } from "../lib/schema";

/** Labels as the provider takes them: a set of pairs, not a map. */
export const labelInputs: Input & { unordered: true } = {
  type: "objects",
  unordered: true,
  fields: { label: { type: "string", required: true }, value: { type: "string", required: true } },
};

/** The pairs as the engine takes them. */
export function labelMap(labels: Value | undefined): Record<string, string> {
  const pairs = Array.isArray(labels) ? labels.filter(isMap) : [];
  return Object.fromEntries(pairs.map(({ label, value }) => [textOf(label), textOf(value)]));
}

/** The engine's map as the provider's set of pairs. */
export function labelValues(labels: Record<string, string>): ValueMap[] {
  return Object.entries(labels).map(([label, value]) => ({ label, value }));
}

/** The comparison of two values of an input: of an unordered one, whatever their order. */
export function sameInput(
  inputs: Inputs,
): (key: string, a: Value | undefined, b: Value | undefined) => boolean {
  return (key, a, b) => same(inputs[key], a ?? null, b ?? null);
}

function same(input: Input | undefined, a: Value, b: Value): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    const left = input?.unordered ? a.toSorted(byText) : a;
    const right = input?.unordered ? b.toSorted(byText) : b;
    if (left.length !== right.length) return false;
    return left.every((element, index) => sameFields(input, element, right[index] ?? null));
  }
  return sameFields(input, a, b);
}

function sameFields(input: Input | undefined, a: Value, b: Value): boolean {
  if (!isMap(a) || !isMap(b) || input?.fields === undefined) return equal(a, b);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)].filter((key) => key !== "__defaults"));
  return [...keys].every((key) => same(input.fields?.[key], a[key] ?? null, b[key] ?? null));
}

function byText(a: Value, b: Value): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
