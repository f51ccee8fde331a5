import { z } from "zod";
import { inputChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import type { ValueMap } from "../lib/values";
import type { Connection } from "./connection";
import { DockerError, type DockerEngine } from "./engine";
import { labelInputs, labelMap, labelValues, sameInput } from "./labels";
import { nameIsFixed, withName } from "./naming";
import { waitUntilRemoved } from "./waiting";

const inputs = { name: { type: "string" }, labels: labelInputs } as const;

const inspected = z.object({
  Name: z.string(),
  Driver: z.string(),
  Mountpoint: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
});

/** docker.Volume. Making one that exists already takes that one over, with its data. */
export function volume(connection: Connection): Resource {
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

    async create(_, news) {
      const made = await connection.engine.json(z.object({ Name: z.string() }), "POST", "/volumes/create", {
        body: { Name: news["name"], Labels: labelMap(news["labels"]) },
      });
      return { id: made.Name, outputs: { ...news, ...(await read(connection.engine, made.Name)) } };
    },

    async read(_, id, old) {
      const found = await read(connection.engine, id);
      if (!found) return undefined;
      const declared = Object.entries(old.inputs).map(([key, value]) => [key, found[key] ?? value] as const);
      return { inputs: Object.fromEntries(declared), outputs: { ...old.outputs, ...found } };
    },

    // Every change replaces, so there is nothing that an update could do.
    update: (_, __, old, news) => Promise.resolve({ ...old.outputs, ...news }),

    async delete(call, id) {
      await waitUntilRemoved(async () => {
        try {
          await connection.engine.text("DELETE", `/volumes/${id}`, { query: { force: "1" } });
          return "removed";
        } catch (error) {
          if (error instanceof DockerError && error.message.includes("volume is in use")) return "in_use";
          throw error;
        }
      }, call.signal);
    },
  };
}

async function read(engine: DockerEngine, id: string): Promise<ValueMap | undefined> {
  const found = await engine.find(inspected, `/volumes/${id}`);
  if (!found) return undefined;
  return {
    name: found.Name,
    driver: found.Driver,
    mountpoint: found.Mountpoint,
    labels: labelValues(found.Labels ?? {}),
  };
}
