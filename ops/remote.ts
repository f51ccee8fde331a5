import { spawn } from "node:child_process";
import type { Connection } from "../host/connection";
import { shellLine } from "./shell";

/**
 * Runs a command on the host with this terminal as its own; Ctrl-C ends it there too.
 *
 * @param words a program and its arguments, each passed on as it stands
 * @returns its exit code, 128 + n when signal n ended it
 */
export function runOnHost(
  { dockerHost, interpreter }: Connection,
  words: readonly string[],
  terminal: boolean,
): Promise<number> {
  const [program = "sh", ...rest] = interpreter;
  const forced = terminal && dockerHost !== undefined ? ["-t"] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...forced, ...rest, shellLine(words)], { stdio: "inherit" });
    // The child is in the same group and gets Ctrl-C itself; this process waits for its end.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}
