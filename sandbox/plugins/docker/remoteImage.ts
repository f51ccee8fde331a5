import { inputChanges } from "../lib/changes";
import type { Resource } from "../lib/resource";
import type { Value } from "../lib/values";
import type { Connection } from "./connection";
import { findLocal, findOrPull, type LocalImage } from "./localImages";

/** docker.RemoteImage. Never pulls a name that the engine has; removes it at the end unless `keepLocally`. */
export function remoteImage(connection: Connection): Resource {
  return {
    inputs: {
      name: { type: "string", required: true },
      keepLocally: { type: "boolean" },
      platform: { type: "string" },
    },
    diff: (old, news) => ({
      changes: inputChanges(old.inputs, news).map((change) => ({
        ...change,
        replace: change.path !== "keepLocally",
      })),
    }),
    preview: (news, old) => ({ ...old?.outputs, ...news }),

    async create(call, news) {
      const name = textOf(news["name"]);
      const found = await findOrPull(
        connection.engine,
        call,
        name,
        textOf(news["platform"]),
        connection.loginFor(name),
      ).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`Unable to read Docker image into resource: ${reason}`);
      });
      return { id: found.id + name, outputs: { ...news, ...outputsOf(found) } };
    },

    async read(_, __, old) {
      const found = await findLocal(connection.engine, textOf(old.outputs["name"]));
      return found && { inputs: old.inputs, outputs: { ...old.outputs, ...outputsOf(found) } };
    },

    update: (_, __, old, news) => Promise.resolve({ ...old.outputs, ...news }),

    async delete(_, __, old) {
      if (old.outputs["keepLocally"] === true) return;
      const name = textOf(old.outputs["name"]);
      if (!(await findLocal(connection.engine, name))) return;
      await connection.engine.text("DELETE", `/images/${name}`).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`Unable to remove Docker image: ${reason}`);
      });
    },
  };
}

function outputsOf(found: LocalImage): { imageId: string; repoDigest: string } {
  return { imageId: found.id, repoDigest: found.repoDigest };
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
