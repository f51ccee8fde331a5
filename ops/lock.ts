import { readdirSync, readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { StackNames } from "../plan/wanted/names";
import { OpsError } from "./errors";
import { PROJECT, pulumi } from "./pulumi";

/**
 * The lock that a file backend keeps while a stack is worked on: a file that names its process. One that a killed run
 * has left makes every later run fail; whether that run is dead can be told on its own machine only.
 */
export interface Lock {
  /** Undefined, like all below: the file could not be read, or is another program's. */
  readonly pid: number | undefined;
  readonly username: string | undefined;
  readonly hostname: string | undefined;
  readonly timestamp: string | undefined;
}

const written = z.object({
  pid: z.int().positive(),
  username: z.string(),
  hostname: z.string(),
  timestamp: z.string(),
});

/**
 * Takes away what dead runs of this machine have left; nothing is done as long as one of the holders may live.
 *
 * @returns what was done, in words; undefined: nothing was in the way
 * @throws OpsError that says who holds it, since when, and what to type
 */
export async function clearStaleLocks(names: StackNames): Promise<string | undefined> {
  const folder = lockFolder(await backendUrl(), names);
  const locks = folder === undefined ? [] : readLocks(folder);
  if (locks.length === 0) return undefined;
  const holders = locks.filter((lock) => !isStale(lock));
  if (holders.length > 0) {
    throw new OpsError(
      `${holders.map(describeLock).join("\n")}\n` +
        "Nothing was changed. Wait until it is done; if you know that this run is over, type: " +
        `pulumi cancel --yes --stack ${names.stack}`,
    );
  }
  await pulumi(["cancel", "--yes", "--stack", names.stack]);
  return `${locks.map(describeLock).join("\n")}; that process has gone, and its lock was taken away`;
}

const account = z.object({ url: z.string() });

async function backendUrl(): Promise<string> {
  return account.parse(JSON.parse(await pulumi(["whoami", "--verbose", "--json"]))).url;
}

/** Undefined: not a file backend, which minds its locks itself. */
export function lockFolder(url: string, { project, stack }: StackNames): string | undefined {
  const [, path] = /^file:\/\/([^?]*)/.exec(url) ?? [];
  if (path === undefined) return undefined;
  // The CLI counts from where it runs, and `~` is the home folder.
  const root = resolve(PROJECT, decodeURIComponent(path).replace(/^~(?=\/|$)/, homedir()));
  return join(root, ".pulumi", "locks", "organization", project, stack);
}

export function readLocks(folder: string): Lock[] {
  return filesIn(folder).map((name) => {
    try {
      return written.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
    } catch {
      return { pid: undefined, username: undefined, hostname: undefined, timestamp: undefined };
    }
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

/** Its process was one of this machine, and has gone. A process that has taken over its number counts as itself. */
export function isStale({ pid, hostname: where }: Lock): boolean {
  if (pid === undefined || where !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: another user's.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

export function describeLock({ pid, username, hostname: where, timestamp }: Lock): string {
  if (pid === undefined) return "the stack is locked, by a lock that cannot be read";
  return `the stack is locked by ${username ?? ""}@${where ?? ""} (process ${pid}) since ${timestamp ?? ""}`;
}
