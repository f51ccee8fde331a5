import { createInterface } from "node:readline/promises";
import { OpsError } from "./errors";

/** Before any work whose result is then asked about. @throws OpsError when there is no terminal to ask on */
export function needTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new OpsError("there is no terminal to ask on: add --yes. Nothing was changed.");
}

/**
 * Asks a question to which only `y` or `yes` means yes; Ctrl-C and the end of input mean no.
 *
 * @throws OpsError when there is no terminal to ask on
 */
export async function agreed(question: string): Promise<boolean> {
  needTerminal();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const given = new Promise<string>((resolve) => {
    const none = () => {
      resolve("");
    };
    // A question that is left open would never end, and node would call that a failure of its own.
    terminal.once("close", none);
    // Ctrl-C rejects it.
    terminal.question(`${question} [y/N] `).then(resolve, none);
  });
  try {
    return /^y(es)?$/i.test((await given).trim());
  } finally {
    terminal.close();
  }
}
