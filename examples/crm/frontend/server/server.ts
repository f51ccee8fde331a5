import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { version } from "../src/version";
import { readConfig } from "./config";
import { createHandler } from "./handler";
import { log } from "./log";
import { drain, stopped, stopSignal } from "./stop";

// Longer than nginx keeps an idle upstream connection (60 s), so that it is never this side that closes one.
const keepAliveMs = 75_000;
const page = fileURLToPath(new URL("./client", import.meta.url));

async function main(): Promise<void> {
  const stop = stopSignal();
  const { port, fault } = readConfig(process.env);
  if (fault.name === "crash") throw new Error("CRM_FAULT=crash: refusing to start");
  if (fault.name === "slow") await sleep(fault.seconds * 1000, undefined, { signal: stop }).catch(() => {});

  if (!stop.aborted) {
    const server = createServer({ keepAliveTimeout: keepAliveMs }, createHandler(page, fault, stop));
    server.listen(port, "0.0.0.0");
    await once(server, "listening");
    log("info", "started", { version, port, fault: fault.name });
    await stopped(stop);
    log("info", "stopping", { signal: stop.reason });
    await drain(server);
  }
  log("info", "stopped");
}

main().catch((error: unknown) => {
  log("error", error instanceof Error ? error.message : String(error), { version });
  process.exit(1);
});
