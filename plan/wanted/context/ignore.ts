import { isUtf8 } from "node:buffer";
import { posix } from "node:path";
import { type Builder, type PathTest, compilePattern } from "./pattern";

/**
 * .dockerignore as Docker's builders apply it: the reader of the file, and the filter that a builder walks
 * the context with.
 *
 * There is not one meaning. Two filters are in use, and on exceptions (`!`) they send different files:
 * - `current`: Docker since 23, buildx, BuildKit (github.com/tonistiigi/fsutil, github.com/moby/patternmatcher).
 *   The Pulumi provider packs the context itself (github.com/moby/go-archive) and never sends more than this.
 * - `20.10`: Docker Engine 20.10 and its client.
 * Paths are relative to the context, with `/`, as text: a byte that is not UTF-8 is U+FFFD, as in Go.
 */

/** One line of an ignore file that is a rule. */
export interface IgnoreRule {
  /** Counted from 1. */
  readonly line: number;
  /** Cleaned, without `!`. */
  readonly pattern: string;
  /** Written with `!`: what it matches is sent again. */
  readonly exception: boolean;
}

/** What a builder does with one entry of the context. */
export interface Verdict {
  readonly sent: boolean;
  /** Only of a directory: whether what is in it is looked at. Where any of it is sent, the directory is too. */
  readonly entered: boolean;
  /** To be handed on for the entries of this directory. */
  readonly trail: Trail;
}

/** For each rule, whether it matched the directory that the walk is in, or one above. */
export type Trail = readonly boolean[];

export type ContextFilter = (path: string, isDirectory: boolean, above: Trail) => Verdict;

/** A line that Docker cannot read. `message` has file, line, pattern, and what is wrong. */
export class IgnoreError extends Error {
  override readonly name = "IgnoreError";
  constructor(
    readonly file: string,
    readonly line: number,
    readonly pattern: string,
    readonly reason: string,
  ) {
    super(`${file}:${line}: ${pattern}: ${reason}`);
  }
}

// What bufio.Scanner, which reads the file for Docker, takes as a line.
const longestLine = 65_535;

/**
 * Reads an ignore file into its rules.
 *
 * @param file its name, for messages
 * @throws IgnoreError
 */
export function parseIgnore(content: Buffer, file: string): IgnoreRule[] {
  return splitLines(content).flatMap((bytes, index) => {
    const number = index + 1;
    const refusal = (pattern: string, reason: string): IgnoreError =>
      new IgnoreError(file, number, pattern, reason);
    if (bytes.length > longestLine) {
      throw refusal("", `the line is longer than ${longestLine} bytes, which Docker refuses`);
    }
    if (!isUtf8(bytes)) {
      throw refusal(bytes.toString("latin1"), "not UTF-8; versions of Docker read it differently");
    }
    const line = bytes.toString();
    const text = index === 0 ? line.replace(/^\uFEFF/, "") : line;
    // Only at the very start of the line is it a comment.
    if (text.startsWith("#")) return [];
    const rule = parseLine(text);
    if (rule?.exception === true && rule.pattern === "") {
      throw refusal(trim(text), "an exception without a pattern; name what is not to be ignored");
    }
    return rule === undefined ? [] : [{ line: number, ...rule }];
  });
}

function splitLines(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  while (start < content.length) {
    const newline = content.indexOf(0x0a, start);
    const end = newline === -1 ? content.length : newline;
    lines.push(content.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/**
 * Docker cleans a line twice, once in the reader of the file and once in the matcher, and each looks for `!`.
 * So `/!a` is an exception, and `! /a` is `!a`.
 */
function parseLine(line: string): Omit<IgnoreRule, "line"> | undefined {
  let text = trim(line);
  if (text === "") return undefined;
  const negated = text.startsWith("!");
  if (negated) text = trim(text.slice(1));
  if (text !== "") text = clean(text).replace(/^\/(?=.)/s, "");
  text = trim(negated ? `!${text}` : text);
  if (text === "") return undefined;
  text = clean(text);
  return text.startsWith("!")
    ? { exception: true, pattern: text.slice(1) }
    : { exception: false, pattern: text };
}

// As Go has it: with U+0085, without the byte order mark.
const space = "[\\t-\\r \\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]+";
const outerSpace = new RegExp(`^${space}|${space}$`, "g");

function trim(text: string): string {
  return text.replace(outerSpace, "");
}

/** Go's filepath.Clean. */
function clean(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/s, "");
}

interface CompiledRule extends IgnoreRule {
  readonly matches: PathTest;
}

/**
 * The filter of one builder.
 *
 * @param file the ignore file's name, for messages
 * @throws IgnoreError for a pattern that this builder refuses
 */
export function contextFilter(rules: readonly IgnoreRule[], builder: Builder, file: string): ContextFilter {
  const compiled = rules.map((rule): CompiledRule => {
    try {
      return { ...rule, matches: compilePattern(rule.pattern, builder) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const written = rule.exception ? `!${rule.pattern}` : rule.pattern;
      throw new IgnoreError(file, rule.line, written, `malformed: ${error.message}`);
    }
  });
  return builder === "current" ? currentFilter(compiled) : filterOf2010(compiled);
}

/**
 * A rule matches also everything below what it matches. But an exception is looked at only where something is
 * excluded so far: with "all *.md at any depth" and then `!docs`, the directory docs is not, so docs/a.md stays excluded.
 */
function currentFilter(rules: readonly CompiledRule[]): ContextFilter {
  const exceptions = rules.filter((rule) => rule.exception);
  const prefixes = exceptions.map((rule) => rule.pattern.replace(/\/\*\*$/, "").replace(/\/\*$/, ""));
  const exceptionsArePlain = !prefixes.some((prefix) => /[*[\]?^\\]/.test(prefix));
  return (path, _isDirectory, above) => {
    let excluded = false;
    const trail: boolean[] = [];
    for (const [index, rule] of rules.entries()) {
      const matched = above[index] === true || (rule.exception === excluded && rule.matches(path));
      if (matched) excluded = !rule.exception;
      trail.push(matched);
    }
    const entered = !excluded || !exceptionsArePlain || leadsTo(prefixes, path);
    return { sent: !excluded, entered, trail };
  };
}

/**
 * A rule matches below a directory only if the directory lies as deep as the pattern has parts, an excluded
 * directory is entered only for an exception that spells its path, and one that is entered is sent.
 */
function filterOf2010(compiled: readonly CompiledRule[]): ContextFilter {
  const rules = compiled.map((rule) => ({ ...rule, depth: rule.pattern.split("/").length }));
  const exceptions = rules.filter((rule) => rule.exception).map((rule) => rule.pattern);
  return (path, isDirectory) => {
    const parts = path.split("/");
    let excluded = false;
    for (const rule of rules) {
      const above = rule.depth < parts.length ? parts.slice(0, rule.depth).join("/") : undefined;
      if (rule.matches(path) || (above !== undefined && rule.matches(above))) excluded = !rule.exception;
    }
    const entered = !excluded || leadsTo(exceptions, path);
    return { sent: !excluded || (isDirectory && entered), entered, trail: [] };
  };
}

/** Whether one of the patterns, taken as a plain path, is the directory or lies in it. */
function leadsTo(patterns: readonly string[], directory: string): boolean {
  return patterns.some((pattern) => `${pattern}/`.startsWith(`${directory}/`));
}
