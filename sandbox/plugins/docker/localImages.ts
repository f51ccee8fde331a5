import { z } from "zod";
import type { Call } from "../lib/resource";
import type { Login } from "./connection";
import type { DockerEngine } from "./engine";

const inspected = z.object({ Id: z.string(), RepoDigests: z.array(z.string()).nullish() });
const pullMessage = z.object({ status: z.string().optional(), error: z.string().optional() });

export interface LocalImage {
  id: string;
  /** As a registry knows it; "" for one that was never pulled or pushed. */
  repoDigest: string;
}

/** An image that the engine has, by name or ID. */
export async function findLocal(engine: DockerEngine, name: string): Promise<LocalImage | undefined> {
  const found = await engine.find(inspected, `/images/${name}/json`);
  return found && { id: found.Id, repoDigest: found.RepoDigests?.[0] ?? "" };
}

/**
 * An image by name: what the engine has is taken as it is, however old; what it has not is pulled. Throws in the
 * words of the real provider when that fails.
 */
export async function findOrPull(
  engine: DockerEngine,
  call: Call,
  name: string,
  platform = "",
  login?: Login,
): Promise<LocalImage> {
  const found = await findLocal(engine, name);
  if (found) return found;
  await pull(engine, call, name, platform, login).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to pull image ${name}: error pulling image ${name}: ${reason}`);
  });
  const pulled = await findLocal(engine, name);
  if (!pulled) throw new Error(`unable to find or pull image ${name}`);
  return pulled;
}

async function pull(
  engine: DockerEngine,
  call: Call,
  name: string,
  platform: string,
  login: Login | undefined,
): Promise<void> {
  const last = name.lastIndexOf(":");
  const tagged = last > name.lastIndexOf("/") || name.includes("@");
  const query = { fromImage: tagged ? name : `${name}:latest`, ...(platform === "" ? {} : { platform }) };
  const messages = engine.messages(pullMessage, "POST", "/images/create", {
    query,
    headers: authorization(login),
    signal: call.signal,
  });
  for await (const message of messages) {
    if (message.error !== undefined) throw new Error(message.error);
    if (message.status !== undefined) call.progress(message.status);
  }
}

function authorization(login: Login | undefined): Record<string, string> {
  if (login === undefined) return {};
  const { username, password, address } = login;
  const text = JSON.stringify({ username, password, serveraddress: address });
  // With its padding: an engine takes no other, and says nothing.
  const encoded = Buffer.from(text, "utf8").toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  return { "X-Registry-Auth": encoded };
}
