import { randomBytes } from "node:crypto";
import { leafChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import type { Inputs } from "../lib/schema";
import { Unknown, type ValueMap } from "../lib/values";
import { run, textOf } from "./run";

export const logging = { type: "string", oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] } as const;

const inputs: Inputs = {
  create: { type: "string" },
  update: { type: "string" },
  delete: { type: "string" },
  stdin: { type: "string" },
  dir: { type: "string" },
  environment: { type: "map" },
  interpreter: { type: "strings" },
  triggers: { type: "any[]" },
  addPreviousOutputInEnv: { type: "boolean" },
  logging,
};

/** command.local.Command: commands on this machine at each turn of the resource's life. */
export const localCommand: Resource = {
  inputs,

  check: (_, news) => ({ inputs: { addPreviousOutputInEnv: true, ...news } }),

  diff(old, news) {
    // The real provider compares with the outputs, of which every input is a part.
    const before = Object.fromEntries(
      Object.entries(old.outputs).filter(([key]) => Object.hasOwn(inputs, key)),
    );
    const replaces = (path: string): boolean => /^triggers\b/.test(path) && textOf(news["update"]) === "";
    return {
      changes: leafChanges(before, news).map((change) => ({ ...change, replace: replaces(change.path) })),
    };
  },

  preview: (news) => ({ ...news, stdout: new Unknown(), stderr: new Unknown() }),

  async create(call, news) {
    // The id is made before the command runs; a command that fails leaves no state, and runs again.
    const id = call.name + randomBytes(4).toString("hex");
    const command = textOf(news["create"]);
    const output = command === "" ? nothing : await run(call, command, news, {});
    return { id, outputs: { ...news, ...output } };
  },

  async update(call, _, old, news) {
    const command = textOf(news["update"]) || textOf(news["create"]);
    const before = printed(old.outputs);
    return { ...news, ...(command === "" ? before : await run(call, command, news, before)) };
  },

  async delete(call, _, old) {
    const command = textOf(old.outputs["delete"]);
    if (command !== "") await run(call, command, old.outputs, old.outputs);
  },
};

const nothing = { stdout: "", stderr: "" };

function printed(outputs: ValueMap): ValueMap {
  return { stdout: outputs["stdout"] ?? "", stderr: outputs["stderr"] ?? "" };
}
