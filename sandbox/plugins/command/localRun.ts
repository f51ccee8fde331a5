import type { Invoke } from "../lib/resource";
import { failuresOf } from "../lib/schema";
import { logging } from "./local";
import { run, textOf } from "./run";

/** command.local.run: a command that a program runs in preview and update alike. Throws when it fails. */
export const localRun: Invoke = async (call, args) => {
  const [failure] = failuresOf(
    "command:local:run",
    {
      command: { type: "string", required: true },
      stdin: { type: "string" },
      dir: { type: "string" },
      environment: { type: "map" },
      interpreter: { type: "strings" },
      addPreviousOutputInEnv: { type: "boolean" },
      logging,
    },
    args,
  );
  if (failure) throw new Error(`command:local:run: ${failure.property}: ${failure.reason}`);
  return { ...args, ...(await run(call, textOf(args["command"]), args, {})) };
};
