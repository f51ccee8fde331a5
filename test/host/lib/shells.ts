import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll } from "vitest";

/**
 * The hosts that the scripts must run on differ in their sh: Debian has dash, Red Hat bash, Alpine busybox, where
 * every other tool is busybox's too. Each is a folder that comes first on PATH.
 */
export type ShellName = "dash" | "bash" | "busybox";

const FAKE_DOCKER = resolve(__dirname, "../fake-docker");

export function whyMissing(shell: ShellName): string | undefined {
  return locate(shell) === undefined ? `${shell} is not installed` : undefined;
}

const folders = new Map<ShellName, string>();

/** The PATH of a host with this sh and the fake docker. */
export function pathOf(shell: ShellName): string {
  const folder = folders.get(shell) ?? makeFolder(shell);
  folders.set(shell, folder);
  const others = shell === "busybox" ? [] : ["/usr/bin", "/bin"];
  return [FAKE_DOCKER, folder, ...others].join(delimiter);
}

afterAll(() => {
  for (const folder of folders.values()) rmSync(folder, { recursive: true });
  folders.clear();
});

function makeFolder(shell: ShellName): string {
  const program = locate(shell);
  if (program === undefined) throw new Error(`${shell} is not installed`);
  const folder = mkdtempSync(join(tmpdir(), `host-${shell}-`));
  mkdirSync(folder, { recursive: true });
  if (shell === "busybox") fillWithBusybox(folder, program);
  else symlinkSync(program, join(folder, "sh"));
  // Nothing here outlives a power cut, and some hundred releases would wait for a busy disk.
  rmSync(join(folder, "sync"), { force: true });
  symlinkSync("/bin/true", join(folder, "sync"));
  return folder;
}

/** All of its commands and nothing else; flock as busybox has it, without -w (Debian's busybox has none at all). */
function fillWithBusybox(folder: string, program: string): void {
  const applets = execFileSync(program, ["--list"], { encoding: "utf8" }).split("\n").filter(Boolean);
  for (const applet of applets) if (applet !== "flock") symlinkSync(program, join(folder, applet));
  const flock = locate("flock");
  if (flock === undefined) throw new Error("flock is not installed");
  writeFileSync(
    join(folder, "flock"),
    `#!/bin/sh\ncase $1 in -w) echo "flock: invalid option -- 'w'" >&2; exit 1 ;; esac\nexec ${flock} "$@"\n`,
    { mode: 0o755 },
  );
}

function locate(program: string): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
  return places.find((place) => existsSync(place));
}

/** So that a folder which a killed run has left is not taken for a test's failure. */
export function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
