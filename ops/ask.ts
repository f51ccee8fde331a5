import { createInterface } from "node:readline/promises";
import { OpsError } from "./errors";
import { onEnding } from "./signals";

/** Before any work whose result is then asked about. @throws OpsError when there is no terminal to ask on */
export function needTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new OpsError("there is no terminal to ask on: add --yes. Nothing was changed.");
}

/**
 * Asks a question to which only `y` or `yes` means yes; Ctrl-C, the end of input, and whatever else would end this process
 * mean no, so that what was begun before the question can be taken back.
 *
 * @throws OpsError when there is no terminal to ask on
 */
export async function agreed(question: string): Promise<boolean> {
  needTerminal();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  let free: () => void = () => undefined;
  const given = new Promise<string>((resolve) => {
    const none = () => {
      resolve("");
    };
    // A question that is left open would never end, and node would call that a failure of its own.
    terminal.once("close", none);
    // A terminal whose window was closed cannot be read any more.
    terminal.on("error", none);
    // Where stdout is no terminal, Ctrl-C is a signal and not a key.
    free = onEnding(none);
    // Ctrl-C, as a key, rejects it.
    terminal.question(`${question} [y/N] `).then(resolve, none);
  });
  try {
    return /^y(es)?$/i.test((await given).trim());
  } finally {
    free();
    terminal.close();
  }
}
