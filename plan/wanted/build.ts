import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceConfig } from "../config/schema";
import { describeChange, type ManifestSummary, summarize } from "./context/changes";
import { readContext } from "./context/context";
import { contextDigest } from "./context/manifest";
import { differences, digest, leaves, type Plain } from "./identity";

/** What an image is built from. Two builds with the same hash give the same program. */
export interface Build {
  /** 12 hex digits. */
  readonly hash: string;
  /** Relative to the project. */
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly files: ManifestSummary;
  /** The Dockerfile's text. */
  readonly instructions: string;
  /** sha256 of all that is sent. */
  readonly contextDigest: string;
}

/**
 * In the project's folder: copies of build contexts (deployer/stage.ts). Whatever lies in it is no part of any context.
 */
export const STAGED = ".build";

/**
 * Reads a service's build context.
 *
 * @param root the project's folder; only paths relative to it enter the result
 * @throws ContextError when the folder or its Dockerfile cannot be read
 */
export function readBuild(
  root: string,
  service: ServiceConfig & { source: string },
  platform: string,
  baseRefresh: string,
): Build {
  const manifest = readContext(
    join(root, service.source),
    join(root, service.source, service.dockerfile),
    join(root, STAGED),
  );
  const context = contextDigest(manifest);
  const description: Plain = {
    context,
    target: service.target,
    args: service.args,
    platform,
    baseRefresh,
  };
  return {
    hash: digest(description),
    context: service.source,
    dockerfile: join(service.source, service.dockerfile),
    target: service.target,
    args: service.args,
    platform,
    parts: leaves(description),
    files: summarize(manifest),
    instructions: readFileSync(join(root, service.source, service.dockerfile), "utf8"),
    contextDigest: context,
  };
}

/** What a release remembers of a build, to explain the next one. */
export interface BuildRecord {
  readonly hash: string;
  readonly why: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly files: ManifestSummary;
}

/** Why an image was built; unchanged as long as the build is the same. */
export function whyBuilt(build: Build, before: BuildRecord | undefined): string {
  if (before === undefined) return "first build";
  if (before.hash === build.hash) return before.why;
  const changed = differences(before.parts, build.parts);
  const reasons = changed.map((part) => {
    if (part === "context") {
      const files = describeChange(before.files, build.files);
      // The files are the same, but others of them say what to do with them.
      return files === "no file changed" ? "another Dockerfile or .dockerignore is used" : files;
    }
    if (part === "baseRefresh") return "base images refreshed";
    if (part.startsWith("args.")) return `build argument ${part.slice("args.".length)} changed`;
    return `${part} changed`;
  });
  return reasons.join(", ");
}
