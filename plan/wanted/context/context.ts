import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { posix } from "node:path";
import { filtersOf, readIgnoreFile, sendAll } from "./ignoreFile";
import type { BuildFile, ContextManifest } from "./manifest";
import type { Builder } from "./pattern";
import { attempt, ContextError } from "./problem";
import { ContextWalk } from "./walk";

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
