import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { posix } from "node:path";
import {
  type ContextFilter,
  IgnoreError,
  type IgnoreRule,
  type Trail,
  contextFilter,
  parseIgnore,
} from "./ignore";
import type { Builder } from "./pattern";

/**
 * The identity of a build context: what reaches the builder, and of that only what makes another image.
 * Times, owners, extended attributes, and all mode bits but the owner's x are left out, as Git leaves them out:
 * they depend on who checked out where.
 */

export interface ContextEntry {
  /**
   * Relative to the context, with `/`. A backslash is written `\\` and a byte that is not UTF-8 `\xff`,
   * so that no two names are written alike.
   */
  readonly path: string;
  readonly kind: "file" | "link" | "directory";
  /** sha256, hex: of a file its content and whether it is executable, of a link its target. */
  readonly digest: string;
}

/** A file that the builder reads whether it is ignored or not. `path` is relative to the context. */
export interface BuildFile {
  readonly path: string;
  /** sha256 of the content, hex. */
  readonly digest: string;
}

export interface ContextManifest {
  /** Sorted by the bytes of their paths. */
  readonly entries: readonly ContextEntry[];
  readonly dockerfile: BuildFile;
  readonly ignoreFile: BuildFile | undefined;
  /** What would be sent but cannot be part of an image, with the reason. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
}

/** A context that cannot be read. `message` says which path, what is wrong, and what to do. */
export class ContextError extends Error {
  override readonly name = "ContextError";
  constructor(
    readonly path: string,
    readonly problem: string,
    readonly cure: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${problem}; ${cure}`, options);
  }
}

/** The name of an entry as the file system has it. */
export function entryBytes(path: string): Buffer {
  const parts = path.split(/(\\\\|\\x[0-9a-f]{2})/);
  return Buffer.concat(
    parts.map((part, i) => {
      if (i % 2 === 0) return Buffer.from(part);
      return part === "\\\\" ? Buffer.from("\\") : Buffer.from(part.slice(2), "hex");
    }),
  );
}

/**
 * Reads what a build of `dockerfile` with the context `dir` would send, both relative to the working directory
 * or absolute.
 *
 * Where the versions of Docker disagree on an ignore file, everything is taken that any of `builders` sends:
 * at worst an image is built again for nothing, but no change is missed.
 *
 * @param without a folder that is no part of any context, whatever the ignore file says
 * @throws ContextError
 */
export function readContext(
  dir: string,
  dockerfile: string,
  without?: string,
  builders: readonly Builder[] = ["current", "20.10"],
): ContextManifest {
  requireDirectory(dir);
  const build = buildFile(dir, dockerfile, readDockerfile(dockerfile));
  const ignore = readIgnoreFile(dir, dockerfile);
  const filters = ignore === undefined ? [sendAll] : filtersOf(ignore, builders);
  const walk = new ContextWalk(dir, filters, without === undefined ? undefined : posix.resolve(without));
  walk.enter(
    Buffer.alloc(0),
    filters.map(() => []),
  );
  return {
    entries: walk.found.sort((a, b) => a.bytes.compare(b.bytes)).map(({ entry }) => entry),
    dockerfile: build,
    ignoreFile: ignore && buildFile(dir, ignore.path, ignore.content),
    leftOut: walk.leftOut,
  };
}

/**
 * sha256, hex, of all that is in the manifest, the Dockerfile and the ignore file included (the Pulumi provider
 * sends both even if ignored), but not their names.
 */
export function contextDigest(manifest: ContextManifest): string {
  const hash = createHash("sha256");
  hash.update(`${JSON.stringify([manifest.dockerfile.digest, manifest.ignoreFile?.digest ?? null])}\n`);
  const lines = manifest.entries.map(({ path, kind, digest }) => `${JSON.stringify([path, kind, digest])}\n`);
  for (const line of lines.sort()) hash.update(line);
  return hash.digest("hex");
}

function requireDirectory(dir: string): void {
  const stat = attempt(dir, "create it, or correct the path of the source", () => fs.statSync(dir));
  if (!stat.isDirectory())
    throw new ContextError(dir, "is not a directory", "name the directory that holds the source");
}

function readDockerfile(dockerfile: string): Buffer {
  return attempt(dockerfile, "create it, or correct the path of the Dockerfile", () =>
    fs.readFileSync(dockerfile),
  );
}

function buildFile(dir: string, path: string, content: Buffer): BuildFile {
  return {
    path: posix.relative(posix.resolve(dir), posix.resolve(path)),
    digest: createHash("sha256").update(content).digest("hex"),
  };
}

interface IgnoreFile {
  readonly path: string;
  readonly content: Buffer;
  readonly rules: readonly IgnoreRule[];
}

/** `<Dockerfile>.dockerignore` hides the context's own, even when it is empty. */
function readIgnoreFile(dir: string, dockerfile: string): IgnoreFile | undefined {
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

function filtersOf({ path, rules }: IgnoreFile, builders: readonly Builder[]): ContextFilter[] {
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

const sendAll: ContextFilter = () => ({ sent: true, entered: true, trail: [] });

/** A walk through the context with the filters of one or more builders side by side. */
class ContextWalk {
  readonly found: { readonly bytes: Buffer; readonly entry: ContextEntry }[] = [];
  readonly leftOut: { readonly path: string; readonly reason: string }[] = [];

  constructor(
    private readonly root: string,
    private readonly filters: readonly ContextFilter[],
    private readonly without: string | undefined,
  ) {}

  /**
   * @param directory its path below the root; names are bytes, not text
   * @param trails for each filter what it said of the directory, undefined where it does not enter
   * @returns whether anything in it is sent
   */
  enter(directory: Buffer, trails: readonly (Trail | undefined)[]): boolean {
    const cure = "make it readable, or list it in .dockerignore";
    const children = attempt(this.absolute(directory), cure, () =>
      fs.readdirSync(this.absolute(directory), { withFileTypes: true, encoding: "buffer" }),
    );
    let anySent = false;
    for (const child of children) {
      const path =
        directory.length === 0 ? child.name : Buffer.concat([directory, Buffer.from("/"), child.name]);
      if (child.isDirectory() && this.isExcepted(path)) continue;
      const text = asMatched(path);
      const verdicts = this.filters.map((filter, index) => {
        const trail = trails[index];
        return trail && filter(text, child.isDirectory(), trail);
      });
      let sent = verdicts.some((verdict) => verdict?.sent === true);
      if (child.isDirectory()) {
        const below = verdicts.map((verdict) => (verdict?.entered === true ? verdict.trail : undefined));
        if (below.some((trail) => trail !== undefined) && this.enter(path, below)) sent = true;
        if (sent) this.add(path, "directory", createHash("sha256").update("directory").digest("hex"));
      } else if (sent) {
        sent = this.addLeaf(path, child);
      }
      anySent ||= sent;
    }
    return anySent;
  }

  private addLeaf(path: Buffer, entry: fs.Dirent<Buffer>): boolean {
    const absolute = this.absolute(path);
    if (entry.isFile()) this.add(path, "file", digestFile(absolute));
    else if (entry.isSymbolicLink()) this.add(path, "link", digestLink(absolute));
    else {
      const kind = entry.isSocket() ? "a socket" : entry.isFIFO() ? "a named pipe" : "a device";
      this.leftOut.push({ path: asPrinted(path), reason: `${kind} has no content that an image could have` });
      return false;
    }
    return true;
  }

  private isExcepted(path: Buffer): boolean {
    return this.without !== undefined && posix.resolve(this.root, asMatched(path)) === this.without;
  }

  private add(bytes: Buffer, kind: ContextEntry["kind"], digest: string): void {
    this.found.push({ bytes, entry: { path: asPrinted(bytes), kind, digest } });
  }

  private absolute(path: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.root}/`), path]);
  }
}

const chunk = Buffer.alloc(1024 * 1024);

function digestFile(path: Buffer): string {
  return attempt(path, "make it readable, or list it in .dockerignore", () => {
    const file = fs.openSync(path, "r");
    try {
      const executable = (fs.fstatSync(file).mode & 0o100) !== 0;
      const hash = createHash("sha256").update(executable ? "executable\0" : "file\0");
      for (let size = -1; size !== 0;) {
        size = fs.readSync(file, chunk);
        hash.update(chunk.subarray(0, size));
      }
      return hash.digest("hex");
    } finally {
      fs.closeSync(file);
    }
  });
}

function digestLink(path: Buffer): string {
  return attempt(path, "list it in .dockerignore", () => {
    const target = fs.readlinkSync(path, { encoding: "buffer" });
    return createHash("sha256").update("link\0").update(target).digest("hex");
  });
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "cannot be read: permission denied",
  EPERM: "cannot be read: permission denied",
  EISDIR: "is a directory, not a file",
  ELOOP: "is a link that leads to itself",
};

/** Does one thing with the file system, and explains it when it fails. */
function attempt<T>(path: string | Buffer, cure: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "") throw error;
    const shown = typeof path === "string" ? path : asPrinted(path);
    throw new ContextError(shown, problems[code] ?? `cannot be read (${code})`, cure, { cause: error });
  }
}

function asMatched(path: Buffer): string {
  return decode(path, () => "\uFFFD");
}

function asPrinted(path: Buffer): string {
  const escaped = Buffer.from(path.toString("latin1").replaceAll("\\", "\\\\"), "latin1");
  return decode(escaped, (byte) => `\\x${byte.toString(16)}`);
}

/** Decodes UTF-8 as Go does: what is none is taken byte by byte. */
function decode(bytes: Buffer, invalid: (byte: number) => string): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const length = [1, 2, 3, 4].find((size) => isUtf8(bytes.subarray(start, start + size)));
    text += length === undefined ? invalid(bytes.readUInt8(at)) : bytes.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return text;
}
