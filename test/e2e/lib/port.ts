import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Ports for tests lie below those that the kernel gives to outgoing connections (32768 and up): between the
 * moment a port is found free and the one its container binds it, any connection of this machine would take
 * such a one. Boxes have 20000 to 29999 (sandbox/lib/free-ports.mjs). Each of vitest's workers has 250 to itself, so
 * that two tests at once never find the same.
 */
const FIRST = 30_000;
const EACH = 250;
const WORKERS = 10;

const given = new Set<number>();

/** A port of this machine that nobody uses, and that no other test is given. */
export async function freePort(): Promise<number> {
  const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS) * EACH;
  const start = Math.floor(Math.random() * EACH);
  for (let next = 0; next < EACH; next++) {
    const port = first + ((start + next) % EACH);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port between ${String(first)} and ${String(first + EACH - 1)} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "0.0.0.0");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
