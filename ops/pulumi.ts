import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname } from "node:path";
import { OpsError } from "./errors";
import { ENDING, onEnding } from "./signals";

/** The project's folder: where Pulumi.yaml is. */
export const PROJECT = dirname(__dirname);

const NO_CLI = "pulumi is not on PATH: install the Pulumi CLI";

export interface Selection {
  readonly stack?: string | undefined;
  readonly configFile?: string | undefined;
}

/**
 * Runs the Pulumi CLI in the project's folder and gives what it printed. It has a group of its own: Ctrl-C and the end of
 * a terminal, which go to all of the terminal's group, do not end it in the middle of writing the config.
 *
 * @param input goes to its stdin: a secret never stands on a command line
 * @throws OpsError with the CLI's own words
 */
export function pulumi(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: PROJECT,
      detached: true,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error) => {
      reject(explained(error));
    });
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new OpsError(`pulumi ${args[0] ?? ""}: ${stderr.trim().replace(/^error: /, "")}`));
    });
    // One that ends before it has read everything has said why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}

/** How a run of the CLI on this terminal ended. */
export interface Ended {
  /** 128 + n when signal n ended it. */
  readonly code: number;
  /** By Ctrl-C or the like, whether this process has heard of it or the CLI alone. */
  readonly interrupted: boolean;
  /** The end of what it wrote to stderr: its own error, when it did not come as far as the program. */
  readonly words: string;
}

/** Why the CLI could not be started. */
function explained(error: NodeJS.ErrnoException): Error {
  return error.code === "ENOENT" ? new OpsError(NO_CLI) : error;
}

/** Characters of stderr that are kept. */
const KEPT = 8192;

/**
 * Runs the Pulumi CLI with this terminal as its own.
 *
 * @param env in addition to this process's own
 * @throws OpsError when there is no CLI
 */
export function runPulumi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args], {
      cwd: PROJECT,
      env: { ...process.env, ...env },
      // The CLI looks at stdin and stdout to learn whether somebody sits there.
      stdio: ["inherit", "inherit", "pipe"],
    });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text);
      words = (words + text).slice(-KEPT);
    });
    // The terminal gives Ctrl-C to all of the group, so to the CLI too. It goes to its end in order; a second one given to
    // it from here would make it leave everything as it lies. The same goes for SIGHUP, when the window is closed. SIGTERM
    // comes to this process alone.
    let interrupted = false;
    const free = onEnding((signal) => {
      interrupted = true;
      if (signal === "SIGTERM") child.kill(signal);
    });
    child.on("error", (error) => {
      free();
      reject(explained(error));
    });
    child.on("close", (code, signal) => {
      free();
      if (signal !== null && ENDING.includes(signal)) interrupted = true;
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), interrupted, words });
    });
  });
}

export function selectionFlags({ stack, configFile }: Selection): string[] {
  return [
    ...(stack === undefined ? [] : ["--stack", stack]),
    ...(configFile === undefined ? [] : ["--config-file", configFile]),
  ];
}
