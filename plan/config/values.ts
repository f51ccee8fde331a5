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

/**
 * Docker's provider passes texts on in Unicode's composed form (NFC) only: of a letter and an accent it makes one letter, and
 * of a password that was typed on a Mac perhaps another one. Refused, because nobody would find out why a login fails.
 */
export const composed = (value: string) => value === value.normalize("NFC");
export const COMPOSED =
  "holds letters in decomposed form (a letter and its accent apart), which Docker's provider would change on the way: " +
  "put it in composed form (Unicode NFC), or hand it over encoded, such as base64";

/** A file or folder of the host; it goes to its shell as it is. */
export const hostPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]+$/, "must be an absolute path of letters, digits and . _ -");

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
