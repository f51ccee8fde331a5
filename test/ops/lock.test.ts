import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeLock, isStale, lockFolder, readLocks } from "../../ops/lock";
import { PROJECT } from "../../ops/pulumi";

const NAMES = { project: "shop", stack: "prod" };
const below = join(".pulumi", "locks", "organization", "shop", "prod");

describe("the folder of a file backend's locks", () => {
  it.each<[url: string, folder: string | undefined]>([
    ["file:///srv/state", join("/srv/state", below)],
    ["file:///srv/my%20state?metadata=skip", join("/srv/my state", below)],
    ["file://~", join(homedir(), below)],
    ["file://~/state", join(homedir(), "state", below)],
    ["file://./state", join(PROJECT, "state", below)],
    ["https://app.pulumi.com/ada", undefined],
    ["s3://bucket", undefined],
  ])("%s", (url, folder) => {
    expect(lockFolder(url, NAMES)).toBe(folder);
  });
});

describe("a lock", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "locks-"));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  /** As the CLI writes it. */
  function lockOf(text: string): ReturnType<typeof readLocks>[number] {
    const folder = join(root, String(Math.random()));
    mkdirSync(folder);
    writeFileSync(join(folder, "lock.json"), text);
    writeFileSync(join(folder, "lock.json.attrs"), "{}");
    const [lock, ...others] = readLocks(folder);
    if (lock === undefined || others.length > 0) throw new Error("not one lock");
    return lock;
  }
  const written = (pid: number, where = hostname()) =>
    JSON.stringify({ pid, username: "ada", hostname: where, timestamp: "2026-11-23T08:00:00Z" });

  it("of a process that runs is held, and is not once it has ended", async () => {
    const child = spawn("sleep", ["30"], { stdio: "ignore" });
    const lock = lockOf(written(child.pid ?? 0));
    expect(isStale(lock)).toBe(false);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    expect(isStale(lock)).toBe(true);
  });

  it("of another machine is held, whatever runs here", () => {
    const { pid } = spawnSync("true");
    expect(isStale(lockOf(written(pid)))).toBe(true);
    expect(isStale(lockOf(written(pid, "elsewhere")))).toBe(false);
    expect(describeLock(lockOf(written(pid, "elsewhere")))).toBe(
      `the stack is locked by ada@elsewhere (process ${pid}) since 2026-11-23T08:00:00Z`,
    );
  });

  it("of another user's process is held", () => {
    // PID 1 is never ours to signal, unless this is root, and then it answers.
    expect(isStale(lockOf(written(1)))).toBe(false);
  });

  it.each(["", "{", "[]", '{"pid": 0}', '{"pid": -1, "username": "", "hostname": "", "timestamp": ""}'])(
    "that cannot be read is held: %j",
    (text) => {
      const lock = lockOf(text);
      expect([isStale(lock), describeLock(lock)]).toEqual([
        false,
        "the stack is locked, by a lock that cannot be read",
      ]);
    },
  );

  it("is not there in a folder that is not there", () => {
    expect(readLocks(join(root, "none"))).toEqual([]);
  });
});
