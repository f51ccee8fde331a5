import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Searcher } from "./secrets";

/** Where a process had a secret in its environment. */
export interface Holder {
  /** The ID of the container that it runs in, or undefined. */
  readonly container: string | undefined;
  readonly command: string;
  readonly what: readonly string[];
}

const INTERVAL_MS = 25;
/** How the engine hands an environment to what is run in a container: a file for root alone, gone in a moment. */
const ENGINES_OWN = /^runc-process\d+$/;
/** Nobody in particular: neither root nor the user of a container. */
const OTHER_USER = 65_534;

/**
 * Watches every process of this machine, its containers' included, and the files that come and go in the folder for
 * temporary ones, for as long as it is on.
 */
export class Watch {
  /** Secrets in argument lists and in temporary files. */
  readonly found = new Set<string>();
  /** Processes with secrets in their environment; only their own user and root can read that. */
  readonly holders = new Map<string, Holder>();
  /** What another user could read. */
  readonly shown = new Set<string>();
  looks = 0;
  private readonly seen = new Set<string>();
  private readonly before = new Set(readdirSync(tmpdir()));
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly searcher: Searcher) {
    this.timer = setInterval(() => {
      this.look();
    }, INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.look();
  }

  private look(): void {
    this.looks += 1;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) this.lookAt(pid);
    for (const name of readdirSync(tmpdir()))
      if (!this.before.has(name) && !ENGINES_OWN.test(name)) this.lookInto(join(tmpdir(), name));
    if (this.looks % 40 === 0) this.lookAsOther();
  }

  private lookAt(pid: string): void {
    const command = read(`/proc/${pid}/cmdline`);
    const key = `${pid} ${command.toString()}`;
    // One without a command is about to get one, or has ended.
    if (command.length === 0 || this.seen.has(key)) return;
    this.seen.add(key);
    for (const what of this.searcher.in(command))
      this.found.add(`argument list of ${words(command)}: ${what}`);
    const what = this.searcher.in(read(`/proc/${pid}/environ`));
    if (what.length === 0) return;
    const [container] = /[0-9a-f]{64}/.exec(read(`/proc/${pid}/cgroup`).toString()) ?? [];
    this.holders.set(key, { container, command: words(command), what });
  }

  private lookInto(path: string): void {
    try {
      if (!statSync(path).isFile()) return;
    } catch {
      return;
    }
    for (const what of this.searcher.in(read(path))) this.found.add(`${path}: ${what}`);
  }

  private lookAsOther(): void {
    const all = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; ps -eo args e";
    const { stdout } = spawnSync("sh", ["-c", all], {
      uid: OTHER_USER,
      gid: OTHER_USER,
      env: { PATH: process.env.PATH },
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const what of this.searcher.in(stdout)) this.shown.add(what);
  }
}

/** What can be read of a file: a process may have ended, a file may be gone. */
function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function words(command: Buffer): string {
  return JSON.stringify(command.toString().replaceAll("\0", " ").trim());
}
