import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT } from "../../../ops/pulumi";
import { asPulumi, change, LEAST, read } from "../../plan/support/config";
import { factsAfter, planned } from "../../plan/support/stack";

/**
 * The real program, between a Pulumi CLI and a host that are not: scripts on PATH, of which a test says what they do.
 * Each keeps to a folder, $BOX, where the config's pin and the host's answer lie as files.
 */

const PULUMI = `#!/bin/sh
cd "$BOX" || exit 9
echo "$*" >>calls
on() { if [ -f "on-$1" ]; then . "./on-$1"; fi; }
case "$1 $2" in
  "config set") printf %s "$4" >pin; on pinned ;;
  "config rm") rm -f pin; on unpinned ;;
  "config --json")
    if [ -f pin ]; then pin=", \\"artsvao:rollbackTo\\": {\\"value\\": \\"$(cat pin)\\"}"; fi
    sed "s/@PIN@/\${pin:-}/" config ;;
  "whoami --verbose") echo '{"url": "https://app.pulumi.com/ada"}' ;;
  "preview "*) echo "a preview"; on preview ;;
  "up "*) on up ;;
  *) exit 9 ;;
esac
`;

const SSH = `#!/bin/sh
cat >/dev/null
[ -f "$BOX/facts" ] || { echo "ssh: connection refused" >&2; exit 255; }
cat "$BOX/facts"
`;

const CONFIG = change(LEAST, "host", {
  address: "ssh://deploy@shop.example.org",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfkNOcBVNfRdFd0OWh0Ygd6xHYKh3hRbUoHTk4qXx9e",
});

/** What the CLI does besides at a point, in sh, with COMMANDS. */
export type Points = Partial<Record<"pinned" | "unpinned" | "preview" | "up", string>>;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Box {
  readonly folder = mkdtempSync(join(tmpdir(), "ops-"));

  /** Release 2 serves, 1 can be gone back to. @param pin what the config is pinned to */
  constructor(pin: number | undefined, points: Points = {}) {
    mkdirSync(join(this.folder, "bin"));
    for (const [name, text] of Object.entries({ pulumi: PULUMI, ssh: SSH }))
      writeFileSync(join(this.folder, "bin", name), text, { mode: 0o755 });
    const config = Object.entries(asPulumi(CONFIG)).map(([key, value]) => [`artsvao:${key}`, { value }]);
    this.write("config", JSON.stringify(Object.fromEntries(config)).replace(/}$/, "@PIN@}\n"));
    if (pin !== undefined) this.write("pin", String(pin));
    this.write("facts", `${answer(2).join("\n")}\n`);
    for (const number of [1, 3]) this.write(`facts-${number}`, `${answer(number).join("\n")}\n`);
    for (const [point, does] of Object.entries(points)) this.write(`on-${point}`, `${COMMANDS}${does}\n`);
  }

  /** What the config says now. */
  get pin(): string | undefined {
    return existsSync(join(this.folder, "pin")) ? this.read("pin") : undefined;
  }

  /** What the CLI was asked to do, in order, but for the stack. */
  get calls(): string[] {
    return this.read("calls").trimEnd().replaceAll(" --stack test", "").split("\n");
  }

  /** @param asked whether somebody sits at stdin; stdout is never a terminal */
  start(args: readonly string[], asked = false, env: NodeJS.ProcessEnv = {}): Run {
    const terminal = ["--import", "data:text/javascript,process.stdin.isTTY=true"];
    const child = spawn(
      process.execPath,
      [...(asked ? terminal : []), join(PROJECT, "ops", "bin.mjs"), "--stack", "test", ...args],
      {
        // A group, as a terminal makes one for what is typed there.
        detached: true,
        env: {
          ...process.env,
          BOX: this.folder,
          HOME: this.folder,
          PATH: [join(this.folder, "bin"), process.env.PATH].join(delimiter),
          ...env,
        },
      },
    );
    return new Run(child);
  }

  async run(...args: string[]): Promise<Ended> {
    return this.start(args).end;
  }

  /** Until the CLI has come to `reached`. */
  async reached(): Promise<void> {
    while (!existsSync(join(this.folder, "reached"))) await sleep(20);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  private read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }
}

export class Run {
  stdout = "";
  stderr = "";
  readonly end: Promise<Ended>;

  constructor(readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.end = once(child, "close").then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  async says(words: string): Promise<void> {
    while (!this.stdout.includes(words)) await sleep(20);
  }

  /** As a terminal does it: to all of the group. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) throw new Error("it did not start");
    process.kill(-this.child.pid, signal);
  }
}

/** The host tells a line more; another release serves; the host cannot be reached; a test goes on, and has a second. */
const COMMANDS = `\
tells() { { grep -vx end facts; echo "$1"; echo end; } >more && mv more facts; }
serves() { cp "facts-$1" facts; }
unreachable() { rm facts; }
reached() { : >reached; sleep 1; }
`;

/** What the host answers while a release serves. */
function answer(serving: number): string[] {
  const entry = (number: number) => [
    `ledger ${number} release 00000000000${number}`,
    `ledger ${number} kind ${number === 2 ? "deploy" : "rollback"}`,
    `ledger ${number} began ${1_700_000_000 + number}`,
    `ledger ${number} result done`,
    `ledger ${number} image worker@sha256:${"0".repeat(64)} sha256:0`,
  ];
  return [
    ...factsAfter(planned(read(CONFIG))).filter((line) => line !== "end"),
    `current number ${serving}`,
    ...Array.from({ length: serving }, (_, index) => entry(index + 1)).flat(),
    "end",
  ];
}
