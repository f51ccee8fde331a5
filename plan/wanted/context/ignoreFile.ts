import * as fs from "node:fs";
import { posix } from "node:path";
import { type ContextFilter, contextFilter, IgnoreError, type IgnoreRule, parseIgnore } from "./ignore";
import type { Builder } from "./pattern";
import { attempt, ContextError } from "./problem";

export interface IgnoreFile {
  readonly path: string;
  readonly content: Buffer;
  readonly rules: readonly IgnoreRule[];
}

/** `<Dockerfile>.dockerignore` hides the context's own, even when it is empty. */
export function readIgnoreFile(dir: string, dockerfile: string): IgnoreFile | undefined {
  const candidates = [`${dockerfile}.dockerignore`, posix.join(dir, ".dockerignore")];
  const path = candidates.find(
    (candidate) => fs.lstatSync(candidate, { throwIfNoEntry: false }) !== undefined,
  );
  if (path === undefined) return undefined;
  refuseOutsideLink(path, posix.dirname(path));
  const content = attempt(path, "make it a readable file, or remove it", () => fs.readFileSync(path));
  return { path, content, rules: explained(path, () => parseIgnore(content, path)) };
}

/** BuildKit follows a link only inside the directory that it is given; elsewhere it finds no ignore file. */
function refuseOutsideLink(path: string, dir: string): void {
  if (!fs.lstatSync(path).isSymbolicLink()) return;
  const cure = "put the rules into a file here";
  const target = attempt(path, cure, () => fs.readlinkSync(path));
  const real = attempt(path, cure, () => fs.realpathSync(path));
  if (posix.isAbsolute(target) || !real.startsWith(posix.join(fs.realpathSync(dir), "/"))) {
    throw new ContextError(path, "is a link to a file outside, which the builder does not see", cure);
  }
}

export function filtersOf({ path, rules }: IgnoreFile, builders: readonly Builder[]): ContextFilter[] {
  const refusals: IgnoreError[] = [];
  const filters = builders.flatMap((builder) => {
    try {
      return [contextFilter(rules, builder, path)];
    } catch (error) {
      if (!(error instanceof IgnoreError)) throw error;
      refusals.push(error);
      return [];
    }
  });
  // A builder that refuses the file sends nothing; only if all do, there can be no build.
  const [refusal] = refusals;
  if (filters.length === 0 && refusal !== undefined) throw notReadable(path, refusal);
  return filters;
}

function explained<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof IgnoreError ? notReadable(path, error) : error;
  }
}

function notReadable(path: string, error: IgnoreError): ContextError {
  const problem = `line ${error.line}: ${JSON.stringify(error.pattern)}: ${error.reason}`;
  return new ContextError(path, problem, "correct this line, Docker cannot read it", { cause: error });
}

export const sendAll: ContextFilter = () => ({ sent: true, entered: true, trail: [] });
