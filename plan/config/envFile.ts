import { parse } from "dotenv";
import { z } from "zod";

/** A file of NAME=value lines, such as .env.production. */

/**
 * A line; where its value is in quotes, as many lines as they hold. After them only a comment may stand. What is
 * captured is the value with its quotes.
 */
const ITEM =
  /(?:(?![^\S\n]*#)[^=\n]*=[^\S\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)(?:[^\S\n]+#[^\n]*|[^\S\n]*)|[^\n]*)(?:\n|$)/g;

const NAME = /^[A-Za-z_]\w*$/;

/**
 * Names and values. dotenv reads what is in quotes, and no more than that: without quotes it ends a value at any #,
 * and what it cannot read it passes over in silence or keeps with half of its quotes (so does util.parseEnv). A secret
 * must not be cut, so the lines are told apart here, and what is not plain is refused.
 *
 * @returns problems by the numbers of the lines; a line itself may be part of a secret
 */
export function parseEnvFile(text: string): {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
} {
  const values = new Map<string, string>();
  const problems: string[] = [];
  let line = 1;
  for (const [item, quoted] of text.replace(/\r\n?/g, "\n").matchAll(ITEM)) {
    const told = readItem(item, quoted);
    if (typeof told === "string") problems.push(`line ${line}: ${told}`);
    else if (told !== undefined) values.set(told.name, told.value);
    line += item.split("\n").length - 1;
  }
  return { values, problems };
}

/**
 * @param quoted the value with its quotes, if it is in quotes
 * @returns undefined for a comment or a blank line; what is wrong, in words
 */
function readItem(
  item: string,
  quoted: string | undefined,
): { readonly name: string; readonly value: string } | string | undefined {
  if (/^\s*(#|$)/.test(item)) return undefined;
  const equals = item.indexOf("=");
  if (equals < 0)
    return "is neither NAME=value nor a comment: put # in front of it, or quotes around a value of several lines";
  const name = item
    .slice(0, equals)
    .trim()
    .replace(/^export\s+/, "");
  if (!NAME.test(name))
    return "the name must be of letters, digits and _, not beginning with a digit: rename it";
  if (quoted !== undefined) return { name, value: parse(`VALUE=${quoted}`).VALUE ?? "" };
  const value = item
    .slice(equals + 1)
    .replace(/\s#[^]*/, "")
    .trim();
  if (/^['"`]/.test(value))
    return "the value begins with a quote that is not closed at its end: close it there, or put other quotes around all of it";
  return { name, value };
}

const withFile = z.looseObject({
  envFile: z.string().min(1),
  env: z.record(z.string(), z.unknown()).default({}),
});

/**
 * What the services' envFile says becomes a part of their env, as far as that does not say it itself. The file is part of the
 * release like any other setting: it is read at each run, and a release that is gone back to has what it had.
 *
 * @param services as they are written, not checked yet
 */
export function withEnvFiles(
  services: unknown,
  fileText: (path: string) => string,
): { readonly services: unknown; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const all = z.record(z.string(), z.unknown()).safeParse(services).data;
  if (all === undefined) return { services, problems };
  const read = Object.entries(all).map(([name, service]) => {
    const { data } = withFile.safeParse(service);
    if (data === undefined) return [name, service];
    const path = `services.${name}.envFile: ${data.envFile}`;
    try {
      const { values, problems: wrong } = parseEnvFile(fileText(data.envFile));
      problems.push(...wrong.map((one) => `${path}: ${one}`));
      return [name, { ...data, env: { ...Object.fromEntries(values), ...data.env } }];
    } catch (error) {
      problems.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return [name, service];
    }
  });
  return { services: Object.fromEntries(read) as unknown, problems };
}
