import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app";
import { readConfig } from "./config";
import { openDatabase, openPool, ping } from "./database";
import { armFault } from "./fault";
import { log, reasonOf } from "./log";
import { drain, stopped, stopSignal } from "./stop";
import { version } from "./version";

// Longer than nginx keeps an idle upstream connection (60 s), so that it is never this side that closes one.
const keepAliveMs = 75_000;
const pingTimeoutMs = 1000;

async function main(): Promise<void> {
  const stop = stopSignal();
  const config = readConfig(process.env);
  const fault = config.CRM_FAULT;
  if (fault.name === "crash") throw new Error("CRM_FAULT=crash: refusing to start");
  if (fault.name === "slow") await sleep(fault.seconds * 1000, undefined, { signal: stop }).catch(() => {});

  const pool = openPool(config.DATABASE_URL, {
    max: 5,
    connectionTimeoutMillis: 3000,
    query_timeout: 10_000,
    statement_timeout: 10_000,
    keepAlive: true,
  });
  const database = openDatabase(pool);
  if (!stop.aborted) {
    const app = createApp({ database, ping: () => ping(pool, pingTimeoutMs), fault, stop });
    const server = createServer({ keepAliveTimeout: keepAliveMs }, getRequestListener(app.fetch));
    await listen(server, config.PORT);
    log("info", "started", { version, port: config.PORT, fault: fault.name });
    armFault(fault);
    await stopped(stop);
    log("info", "stopping", { signal: stop.reason });
    await drain(server);
  }
  await database.destroy();
  log("info", "stopped");
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
}

main().catch((error: unknown) => {
  log("error", reasonOf(error), { version });
  process.exit(1);
});
