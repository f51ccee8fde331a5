import { z } from "zod";
import { inWords } from "./errors";

/** Kinds of values that several settings share. */

export const between = (low: number, high: number, unit = "") => {
  const error = (issue: { input: unknown }) =>
    `must be ${low}-${high}${unit === "" ? "" : ` ${unit}`}, is ${inWords(issue.input)}`;
  return z.number({ error }).refine((n) => Number.isInteger(n) && n >= low && n <= high, { error });
};

export const noNul = (value: string) => !value.includes("\0");
export const text = z.string().min(1, "must not be empty").refine(noNul, "must not contain a NUL character");
export const line = text.refine((one) => !/[\r\n]/.test(one), "must be one line");
