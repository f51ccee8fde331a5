import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "../plan/found/deployer";
import { withoutConfig } from "./environment";

/**
 * The repositories that something deployed comes from.
 *
 * @param root the project's folder
 * @param sources the services' folders, relative to it
 */
export function readRepositories(root: string, sources: readonly string[]): Repository[] {
  const seen = new Set<string>();
  return [".", ...[...sources].sort()].flatMap((path): Repository[] => {
    const folder = join(root, path);
    const top = git(folder, "rev-parse", "--show-toplevel");
    const name = top ?? folder;
    if (seen.has(name)) return [];
    seen.add(name);
    if (top === undefined) return [{ path, commit: undefined, changed: 0, pushed: false }];
    const commit = git(folder, "rev-parse", "--verify", "HEAD");
    const changed = git(top, "status", "--porcelain");
    return [
      {
        path,
        commit,
        changed: changed?.split("\n").filter((line) => line !== "").length,
        pushed: commit !== undefined && (git(top, "branch", "-r", "--contains", commit) ?? "") !== "",
      },
    ];
  });
}

/** A file of git's own folder, for what belongs to this checkout and to no commit; undefined: not under git. */
export function gitFile(root: string, name: string): string | undefined {
  const path = git(root, "rev-parse", "--git-path", name);
  return path === undefined ? undefined : join(realpathSync(root), path);
}

/** The usual 1 MiB is too little for the status of a tree with some thousands of changes. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** What git prints, trimmed; undefined when it fails: no repository, no commit yet, no git, too slow, too much. */
function git(folder: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", ["-C", folder, ...args], {
    env: withoutConfig(),
    encoding: "utf8",
    timeout: 20_000,
    maxBuffer: MOST_OUTPUT,
  });
  return status === 0 ? stdout.trim() : undefined;
}
