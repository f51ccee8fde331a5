import { randomBytes } from "node:crypto";
import { inputChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import { Unknown } from "../lib/values";

/** RandomUuid: made once, its own ID, no secret, made anew when a keeper changes. */
export const randomUuid: Resource = {
  inputs: { keepers: { type: "map" } },

  diff: (old, news) => ({
    changes: inputChanges(old.inputs, news).map((change) => ({ ...change, replace: true })),
  }),

  preview: (news, old) => (old ? { ...old.outputs, ...news } : { ...news, result: new Unknown() }),

  create(_, news) {
    // Not of version 4: any hexadecimal digits in the form of a UUID.
    const result = randomBytes(16)
      .toString("hex")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    return Promise.resolve({ id: result, outputs: { ...news, result } });
  },

  update: (_, __, old, news) => Promise.resolve({ ...old.outputs, ...news }),

  delete: () => Promise.resolve(),
};
