import { setTimeout as sleep } from "node:timers/promises";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { contactRoutes } from "./contacts";
import { isDatabaseAway, type Database } from "./database";
import { dealRoutes } from "./deals";
import { type Fault } from "./fault";
import { healthRoutes } from "./health";
import { InputError } from "./input";
import { log, reasonOf } from "./log";

export interface AppParts {
  database: Database;
  /** Rejects if the database does not answer in time. */
  ping: () => Promise<void>;
  fault: Fault;
  /** Aborted once the process is to stop: from then on every answer closes its connection. */
  stop: AbortSignal;
}

const maxBodyBytes = 64 * 1024;
const maxSlowMs = 30_000;

export function createApp({ database, ping, fault, stop }: AppParts): Hono {
  const app = new Hono().basePath("/api");

  app.use(async (c, next) => {
    await next();
    if (stop.aborted) c.header("Connection", "close");
  });
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.json({ error: "body too large" }, 413) }));
  if (fault.name === "page") {
    app.get("/contacts", (c) => c.json({ error: "CRM_FAULT=page" }, 500));
  }

  app.route("/", healthRoutes(ping, fault));
  app.route("/contacts", contactRoutes(database));
  app.route("/deals", dealRoutes(database));

  // A request that takes its time, to see that a stop waits for it.
  app.get("/slow", async (c) => {
    const ms = Math.min(Math.max(Number(c.req.query("ms")) || 0, 0), maxSlowMs);
    await sleep(ms);
    return c.json({ ms });
  });

  app.notFound((c) => c.json({ error: "not found" }, 404));
  app.onError(answerError);
  return app;
}

function answerError(error: Error, c: Context): Response {
  if (error instanceof InputError) return c.json({ error: error.message, issues: error.issues }, 400);
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  log("error", "a request failed", { method: c.req.method, path: c.req.path, reason: reasonOf(error) });
  if (isDatabaseAway(error)) return c.json({ error: "the database is away" }, 503, { "Retry-After": "1" });
  return c.json({ error: "internal error" }, 500);
}
