import { randomInt } from "node:crypto";
import { hash } from "bcryptjs";
import { inputChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import { Secret, Unknown, type Value, type ValueMap } from "../lib/values";

const defaults = {
  lower: true,
  upper: true,
  numeric: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
} as const;

/** The cost of bcrypt's key set-up, as the real provider has it. */
const bcryptCost = 10;

/** RandomPassword: made once, secret from the start, made anew when any input changes. */
export const randomPassword: Resource = {
  inputs: {
    length: { type: "number", required: true },
    keepers: { type: "map" },
    lower: { type: "boolean" },
    upper: { type: "boolean" },
    numeric: { type: "boolean" },
    special: { type: "boolean" },
    minLower: { type: "number" },
    minUpper: { type: "number" },
    minNumeric: { type: "number" },
    minSpecial: { type: "number" },
    overrideSpecial: { type: "string" },
  },

  check: (_, news) => {
    const { length } = news;
    if (typeof length !== "number") return { inputs: news };
    const least = numberOf(news, "minLower") + numberOf(news, "minUpper") + numberOf(news, "minNumeric");
    const needed = Math.max(1, least + numberOf(news, "minSpecial"));
    const failures =
      length < needed ? [{ property: "length", reason: `should be at least ${needed}, is ${length}` }] : [];
    return { inputs: news, failures };
  },

  diff: (old, news) => ({
    changes: inputChanges(old.inputs, news).map((change) => ({ ...change, replace: true })),
  }),

  preview: (news, old) =>
    old
      ? { ...old.outputs, ...news }
      : { ...defaults, ...news, result: new Secret(new Unknown()), bcryptHash: new Secret(new Unknown()) },

  async create(_, news) {
    const result = password(news);
    const outputs: ValueMap = {
      ...defaults,
      ...news,
      result: new Secret(result),
      bcryptHash: new Secret(await hash(result, bcryptCost)),
    };
    return { id: "none", outputs };
  },

  update: (_, __, old, news) => Promise.resolve({ ...old.outputs, ...news }),

  delete: () => Promise.resolve(),
};

/** Draws the least of each kind first, the rest from all kinds together, and shuffles. */
function password(inputs: ValueMap): string {
  const wanted = (name: "lower" | "upper" | "numeric" | "special"): boolean =>
    boolOf(inputs[name], defaults[name]);
  const special =
    typeof inputs["overrideSpecial"] === "string" ? inputs["overrideSpecial"] : "!@#$%&*()-_=+[]{}<>:?";
  const kinds = [
    { on: wanted("numeric"), least: numberOf(inputs, "minNumeric"), from: "0123456789" },
    { on: wanted("lower"), least: numberOf(inputs, "minLower"), from: "abcdefghijklmnopqrstuvwxyz" },
    { on: wanted("upper"), least: numberOf(inputs, "minUpper"), from: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
    { on: wanted("special"), least: numberOf(inputs, "minSpecial"), from: special },
  ];
  const all = kinds.map((kind) => (kind.on ? kind.from : "")).join("");
  if (all === "") throw new Error("the password would have no characters to be made of");
  const drawn = kinds.flatMap((kind) => draw(kind.from, kind.least));
  drawn.push(...draw(all, numberOf(inputs, "length") - drawn.length));
  for (let last = drawn.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [drawn[last], drawn[other]] = [drawn[other] ?? "", drawn[last] ?? ""];
  }
  return drawn.join("");
}

function draw(from: string, count: number): string[] {
  return Array.from({ length: count }, () => from.charAt(randomInt(from.length)));
}

function numberOf(inputs: ValueMap, name: string): number {
  const value = inputs[name];
  return typeof value === "number" ? value : 0;
}

function boolOf(value: Value | undefined, otherwise: boolean): boolean {
  return typeof value === "boolean" ? value : otherwise;
}
