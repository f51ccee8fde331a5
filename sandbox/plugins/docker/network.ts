import { z } from "zod";
import { inputChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import type { ValueMap } from "../lib/values";
import type { Connection } from "./connection";
import { DockerError, type DockerEngine } from "./engine";
import { labelInputs, labelMap, labelValues, sameInput } from "./labels";
import { nameIsFixed, withName } from "./naming";
import { settle, waitUntilRemoved } from "./waiting";

const inputs = {
  name: { type: "string" },
  driver: { type: "string" },
  internal: { type: "boolean" },
  labels: labelInputs,
} as const;

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Internal: z.boolean(),
  Scope: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
});

/** docker.Network. Making and removing one takes 2 s, as with the real provider. */
export function network(connection: Connection): Resource {
  return {
    inputs,
    check: (call, news, olds, seed) => ({ inputs: withName(call.name, news, olds, seed) }),
    diff: (old, news) => ({
      changes: inputChanges(old.inputs, news, sameInput(inputs)).map((change) => ({
        ...change,
        replace: true,
      })),
      deleteBeforeReplace: nameIsFixed(news),
    }),
    preview: (news, old) => ({ ...old?.outputs, ...news }),

    async create(call, news) {
      const { Id: id } = await connection.engine
        .json(z.object({ Id: z.string() }), "POST", "/networks/create", {
          body: {
            Name: news["name"],
            Driver: news["driver"],
            Internal: news["internal"] ?? false,
            Labels: labelMap(news["labels"]),
            IPAM: { Driver: "default" },
          },
        })
        .catch((error: unknown) => {
          throw new Error(
            `Unable to create network: ${error instanceof Error ? error.message : String(error)}`,
          );
        });
      await settle(call.signal);
      return { id, outputs: { ...news, ...(await read(connection.engine, id)) } };
    },

    async read(call, id, old) {
      await settle(call.signal);
      const found = await read(connection.engine, id);
      if (!found) return undefined;
      const declared = Object.entries(old.inputs).map(([key, value]) => [key, found[key] ?? value] as const);
      return { inputs: Object.fromEntries(declared), outputs: { ...old.outputs, ...found } };
    },

    // Every change replaces, so there is nothing that an update could do.
    update: (_, __, old, news) => Promise.resolve({ ...old.outputs, ...news }),

    async delete(call, id) {
      await waitUntilRemoved(async () => {
        if (!(await read(connection.engine, id))) return "removed";
        try {
          await connection.engine.text("DELETE", `/networks/${id}`);
          return "removed";
        } catch (error) {
          if (error instanceof DockerError && error.message.includes("has active endpoints"))
            return "pending";
          throw error;
        }
      }, call.signal);
    },
  };
}

/** What the engine says of it. Any error counts as gone, an engine that does not answer too: so does the real one. */
async function read(engine: DockerEngine, id: string): Promise<ValueMap | undefined> {
  try {
    const found = await engine.json(inspected, "GET", `/networks/${id}`);
    return {
      name: found.Name,
      driver: found.Driver,
      internal: found.Internal,
      scope: found.Scope,
      labels: labelValues(found.Labels ?? {}),
    };
  } catch {
    return undefined;
  }
}
