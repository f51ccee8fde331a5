import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds; 120,000 if absent. */
  readonly timeout?: number;
  /** For its stdin. */
  readonly input?: string;
}

/**
 * Runs a program to its end and gives what it wrote to stdout. Never blocks: a load may be running in this process.
 * @throws Error with the program's stderr
 */
export async function run(
  program: string,
  args: readonly string[],
  { input, ...options }: CommandOptions = {},
): Promise<string> {
  const running = execute(program, [...args], {
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
    encoding: "utf8",
    ...options,
  });
  if (input !== undefined) running.child.stdin?.end(input);
  return (await running).stdout;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
