import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Call } from "../lib/resource";
import { whenEngineIsGone } from "../lib/serve";
import { reveal, type Value, type ValueMap } from "../lib/values";

export interface Output {
  stdout: string;
  stderr: string;
}

/**
 * Runs one command, and resolves with what it printed. Throws what the real provider says: how it ended, the
 * whole command line, and everything that it printed. `before` is what the last run printed, if any.
 */
export async function run(call: Call, command: string, inputs: ValueMap, before: ValueMap): Promise<Output> {
  const [program = "/bin/sh", ...rest] = stringsOf(inputs["interpreter"]) ?? ["/bin/sh", "-c"];
  const stdin = textOf(inputs["stdin"]);
  const cwd = textOf(inputs["dir"]);
  const child = spawn(program, [...rest, command], {
    ...(cwd === "" ? {} : { cwd }),
    env: environmentOf(inputs, before),
  });
  const kill = (): void => void child.kill("SIGKILL");
  call.signal.addEventListener("abort", kill);
  const outlived = whenEngineIsGone(kill);

  const both: Buffer[] = [];
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const lines = new PassThrough();
  const logged = logLines(lines, call);
  const logging = textOf(inputs["logging"]);
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    both.push(chunk);
    if (logging !== "stderr" && logging !== "none") lines.write(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr.push(chunk);
    both.push(chunk);
    if (logging !== "stdout" && logging !== "none") lines.write(chunk);
  });
  // A command that does not read its input to the end closes the pipe: its own affair.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);

  const failure = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => {
      resolve(error.message);
    });
    child.on("close", (code, signal) => {
      if (signal !== null) resolve(`signal: ${signalNames[signal] ?? signal}`);
      else resolve(code === 0 ? undefined : `exit status ${code ?? -1}`);
    });
  });
  call.signal.removeEventListener("abort", kill);
  outlived();
  lines.end();
  await logged;

  if (failure !== undefined) {
    throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${Buffer.concat(both).toString()}`);
  }
  return { stdout: trimmed(stdout), stderr: trimmed(stderr) };
}

// Go's words for the signals that end a command.
const signalNames: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
};

async function logLines(stream: PassThrough, call: Call): Promise<void> {
  for await (const line of createInterface({ input: stream })) call.progress(line);
}

function environmentOf(inputs: ValueMap, before: ValueMap): NodeJS.ProcessEnv {
  const environment = { ...process.env, ...(reveal(inputs["environment"] ?? {}) as Record<string, string>) };
  if (reveal(inputs["addPreviousOutputInEnv"] ?? true) === true) {
    const stdout = textOf(before["stdout"]);
    const stderr = textOf(before["stderr"]);
    if (stdout !== "") environment["PULUMI_COMMAND_STDOUT"] = stdout;
    if (stderr !== "") environment["PULUMI_COMMAND_STDERR"] = stderr;
  }
  return environment;
}

/** The string, or "" where there is none. */
export function textOf(value: Value | undefined): string {
  const revealed = reveal(value ?? null);
  return typeof revealed === "string" ? revealed : "";
}

function stringsOf(value: Value | undefined): string[] | undefined {
  const revealed = reveal(value ?? null);
  return Array.isArray(revealed) && revealed.length > 0
    ? revealed.map((element) => textOf(element))
    : undefined;
}

/** The text without its last line's end, as the real provider keeps it. */
function trimmed(chunks: Buffer[]): string {
  return Buffer.concat(chunks).toString().replace(/\n$/, "");
}
