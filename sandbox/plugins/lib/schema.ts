import { isMap, Secret, Unknown, type Value, type ValueMap } from "./values";

/** What one input of a resource may be. */
export interface Input {
  type: "string" | "number" | "boolean" | "strings" | "any[]" | "map" | "object" | "objects";
  required?: true;
  /** The only strings that are right. */
  oneOf?: readonly string[];
  /** The inputs of an `object`, or of each of the `objects`. */
  fields?: Inputs;
  /** The order of the elements means nothing: the provider keeps them as a set. */
  unordered?: true;
}

export type Inputs = Readonly<Record<string, Input>>;

/** One thing that is wrong with the inputs: where, and why. */
export interface Failure {
  property: string;
  reason: string;
}

/**
 * Compares what a program gave with what a stand-in implements. The real provider knows more inputs; a
 * program that uses one of those must hear of it, not run on as if it had been honoured.
 */
export function failuresOf(resource: string, inputs: Inputs, given: ValueMap): Failure[] {
  return failuresIn(resource, inputs, given, "");
}

function failuresIn(resource: string, inputs: Inputs, given: ValueMap, prefix: string): Failure[] {
  const failures: Failure[] = [];
  for (const [name, value] of Object.entries(given)) {
    const property = prefix + name;
    const input = inputs[name];
    if (name === "__defaults" || value === null) continue;
    if (input === undefined) {
      failures.push({ property, reason: `the stand-in for ${resource} does not implement this input` });
      continue;
    }
    failures.push(...failuresAt(resource, input, value, property));
  }
  for (const [name, input] of Object.entries(inputs)) {
    if (input.required && (given[name] ?? null) === null) {
      failures.push({ property: prefix + name, reason: "is required" });
    }
  }
  return failures;
}

function failuresAt(resource: string, input: Input, value: Value, property: string): Failure[] {
  if (value instanceof Unknown) return [];
  if (value instanceof Secret) return failuresAt(resource, input, value.value, property);
  const wrong = (): Failure[] => [{ property, reason: `should be ${nameOf(input.type)}` }];
  switch (input.type) {
    case "string":
      if (typeof value !== "string") return wrong();
      if (input.oneOf && !input.oneOf.includes(value)) {
        return [{ property, reason: `should be one of ${input.oneOf.join(", ")}, is ${value}` }];
      }
      return [];
    case "number":
    case "boolean":
      return typeof value === input.type ? [] : wrong();
    case "any[]":
      return Array.isArray(value) ? [] : wrong();
    case "strings":
      return Array.isArray(value) && value.every(isText) ? [] : wrong();
    case "map":
      return isMap(value) && Object.values(value).every(isText) ? [] : wrong();
    case "object":
      return isMap(value) ? failuresIn(resource, input.fields ?? {}, value, `${property}.`) : wrong();
    case "objects":
      if (!Array.isArray(value)) return wrong();
      return value.flatMap((element, index) => {
        const at = `${property}[${index}]`;
        if (element instanceof Unknown) return [];
        if (!isMap(element)) return [{ property: at, reason: "should be an object" }];
        return failuresIn(resource, input.fields ?? {}, element, `${at}.`);
      });
  }
}

function isText(value: Value): boolean {
  return (
    typeof value === "string" || value instanceof Unknown || (value instanceof Secret && isText(value.value))
  );
}

function nameOf(type: Input["type"]): string {
  switch (type) {
    case "strings":
      return "a list of strings";
    case "any[]":
    case "objects":
      return "a list";
    case "map":
      return "a map of strings";
    case "object":
      return "an object";
    default:
      return `a ${type}`;
  }
}
