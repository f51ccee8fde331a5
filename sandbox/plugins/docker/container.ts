import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { inputChanges, type Change } from "../lib/changes";
import { InitFailed, type Call, type Resource, type State } from "../lib/resource";
import { equal, isMap, reveal, type Value, type ValueMap } from "../lib/values";
import type { Connection } from "./connection";
import { appliedInPlace, containerInputs, neverApplied } from "./containerInputs";
import { containerLogs } from "./containerLogs";
import { containerSpec, resources } from "./containerSpec";
import { containerState, inspectedContainer, type InspectedContainer } from "./containerState";
import { inGoForm } from "./duration";
import { DockerError, type DockerEngine } from "./engine";
import { sameInput } from "./labels";
import { findOrPull } from "./localImages";
import { nameIsFixed, withName } from "./naming";

/** The real provider looks at a new container for the first time after this long, in milliseconds. */
const firstLook = 100;
/** How long a new container that must run may take to do so, in milliseconds. */
const runningLimit = 15_000;

/** docker.Container. Nearly every change replaces it; some are only written down (containerInputs). */
export function container(connection: Connection): Resource {
  return {
    inputs: containerInputs,
    check: (call, news, olds, seed) => ({ inputs: withName(call.name, news, olds, seed) }),
    diff: (old, news) => ({ changes: changes(old, news), deleteBeforeReplace: nameIsFixed(news) }),
    preview: (news, old) => ({ ...old?.outputs, ...news }),

    async create(call, news) {
      const engine = connection.engine;
      const image = textOf(news["image"]);
      await findOrPull(engine, call, image).catch((error: unknown) => {
        throw new Error(`Unable to create container with image ${image}: ${messageOf(error)}`);
      });
      const id = await make(engine, news);
      // From here on there is a container, and the state must know of it whatever happens.
      try {
        await connect(engine, id, news);
        return { id, outputs: { ...asKept(news), ...(await begin(engine, call, id, news)) } };
      } catch (error) {
        if (error instanceof Discarded) throw error;
        throw new InitFailed(id, { ...news, [tainted]: true }, messageOf(error));
      }
    },

    async read(_, id, old) {
      const found = await inspect(connection.engine, id);
      if (!found) return undefined;
      if (!found.State.Running && mustRun(old.outputs)) {
        // So does the real one: what must run and does not is no container, and the next update makes another.
        await remove(connection.engine, id, old.outputs);
        return undefined;
      }
      const state = containerState(found);
      // Undeclared, the network mode counts as a change each time, unlike everything else that is undeclared.
      const declared = new Set([...Object.keys(old.inputs), "networkMode"]);
      const read = Object.entries(state).filter(([key]) => declared.has(key));
      return {
        inputs: { ...old.inputs, ...Object.fromEntries(read) },
        outputs: { ...old.outputs, ...state },
      };
    },

    async update(_, id, old, news) {
      if (changes(old, news).some((change) => appliedInPlace.has(change.path))) {
        const body = resources(news);
        await connection.engine.text("POST", `/containers/${id}/update`, { body }).catch((error: unknown) => {
          throw new Error(`Unable to update a container: ${messageOf(error)}`);
        });
      }
      const found = await inspect(connection.engine, id);
      return { ...old.outputs, ...news, ...(found && containerState(found)) };
    },

    delete: (_, id, old) => remove(connection.engine, id, old.outputs),
  };
}

/** In the state of one whose creation failed half-way: the next update makes another in its place. */
const tainted = "__tainted";

/** The container did not run as it must, and was removed again: nothing of it goes into the state. */
class Discarded extends Error {}

function changes(old: State, news: ValueMap): Change[] {
  // The image is compared with the one that the container has, by ID: a program that names it by a tag must tell
  // the engine to ignore changes.
  // So is the health check, whose times are kept in Go's own form.
  const before = { ...old.inputs, ...pick(old.outputs, "image"), ...pick(old.outputs, "healthcheck") };
  const sameText = equal(old.inputs["healthcheck"] ?? null, news["healthcheck"] ?? null);
  const changed = inputChanges(before, news, sameInput(containerInputs)).map((change) => ({
    ...change,
    replace: !appliedInPlace.has(change.path) && !neverApplied.has(change.path),
    kept: change.path === "healthcheck" && sameText,
  }));
  return old.outputs[tainted] === true
    ? [...changed, { path: "name", kind: "update", replace: true, kept: true }]
    : changed;
}

/** The provider keeps the times of a health check as Go writes them: `120s` is another one than the `2m0s` that it keeps. */
function asKept(news: ValueMap): ValueMap {
  const health = news["healthcheck"];
  if (!isMap(health)) return news;
  const times = ["interval", "timeout", "startPeriod"].flatMap((name) => {
    const text = health[name];
    return typeof text === "string" ? [[name, inGoForm(text)] as const] : [];
  });
  return { ...news, healthcheck: { ...health, ...Object.fromEntries(times) } };
}

async function make(engine: DockerEngine, news: ValueMap): Promise<string> {
  try {
    const made = await engine.json(z.object({ Id: z.string() }), "POST", "/containers/create", {
      query: { name: textOf(news["name"]) },
      body: containerSpec(news),
    });
    return made.Id;
  } catch (error) {
    throw new Error(`Unable to create container: ${messageOf(error)}`);
  }
}

/** Puts it into the networks that were asked for, instead of the default one. */
async function connect(engine: DockerEngine, id: string, news: ValueMap): Promise<void> {
  const networks = Array.isArray(news["networksAdvanced"]) ? news["networksAdvanced"].filter(isMap) : [];
  if (networks.length === 0) return;
  await engine
    .text("POST", "/networks/bridge/disconnect", { body: { Container: id } })
    .catch((error: unknown) => {
      if (!/is not connected to (the )?network/.test(messageOf(error))) {
        throw new Error(`Unable to disconnect the default network: ${messageOf(error)}`);
      }
    });
  for (const { name, aliases } of networks) {
    const network = textOf(name);
    const body = { Container: id, EndpointConfig: { Aliases: reveal(aliases ?? []) } };
    await engine
      .text("POST", `/networks/${encodeURIComponent(network)}/connect`, { body })
      .catch((error: unknown) => {
        throw new Error(`Unable to connect to network '${network}': ${messageOf(error)}`);
      });
  }
}

/** Starts it if it is to be started, waits as the real provider does, and reads what became of it. */
async function begin(engine: DockerEngine, call: Call, id: string, news: ValueMap): Promise<ValueMap> {
  if (news["start"] !== false) {
    await engine.text("POST", `/containers/${id}/start`).catch((error: unknown) => {
      throw new Error(`Unable to start container: ${messageOf(error)}`);
    });
  }
  const logs = news["attach"] === true ? await untilExit(engine, call, id, news["logs"] === true) : {};
  const end = performance.now() + runningLimit;
  for (;;) {
    await sleep(firstLook, undefined, { signal: call.signal });
    const found = await inspect(engine, id);
    if (!found) throw new Error(`Error response from daemon: No such container: ${id}`);
    if (found.State.Running || !mustRun(news)) return { ...containerState(found), ...logs };
    const exited = Date.parse(found.State.FinishedAt) > 0;
    if (!exited && performance.now() < end) continue;
    await remove(engine, id, news);
    throw new Discarded(exited ? "container exited immediately" : "container failed to be in running state");
  }
}

async function untilExit(engine: DockerEngine, call: Call, id: string, logs: boolean): Promise<ValueMap> {
  await engine.text("POST", `/containers/${id}/wait`, { signal: call.signal });
  return logs ? { containerLogs: await containerLogs(engine, id) } : {};
}

async function inspect(engine: DockerEngine, id: string): Promise<InspectedContainer | undefined> {
  return await engine.find(inspectedContainer, `/containers/${id}/json`);
}

/** Stops it if a grace was given, then kills and removes it. One that is gone already is as good as removed. */
async function remove(engine: DockerEngine, id: string, outputs: ValueMap): Promise<void> {
  const grace = outputs["destroyGraceSeconds"];
  if (typeof grace === "number" && grace > 0 && outputs["attach"] !== true) {
    await ifPresent(
      engine.text("POST", `/containers/${id}/stop`, { query: { t: String(grace) } }),
      "stopping",
      id,
    );
  }
  await ifPresent(
    engine.text("DELETE", `/containers/${id}`, { query: { v: "1", force: "1" } }),
    "deleting",
    id,
  );
}

async function ifPresent(operation: Promise<string>, doing: string, id: string): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (error instanceof DockerError && error.status === 404) return;
    throw new Error(`Error ${doing} container ${id}: ${messageOf(error)}`);
  }
}

function mustRun(properties: ValueMap): boolean {
  return properties["mustRun"] !== false;
}

function pick(map: ValueMap, key: string): ValueMap {
  const value = map[key];
  return value === undefined ? {} : { [key]: value };
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
