import { Hono } from "hono";
import { type Fault } from "./fault";
import { reasonOf } from "./log";
import { version } from "./version";

type Check = { ok: true; ms: number } | { ok: false; reason: string };

/** GET /health answers 200 only if the database did; GET /version always. `ping` bounds its own time. */
export function healthRoutes(ping: () => Promise<void>, fault: Fault): Hono {
  const routes = new Hono();

  routes.get("/health", async (c) => {
    if (fault.name === "hang") return new Promise<Response>(() => {});
    const checks: Record<string, Check> = { database: await timed(ping) };
    if (fault.name === "unhealthy") checks.fault = { ok: false, reason: "CRM_FAULT=unhealthy" };
    const ok = Object.values(checks).every((check) => check.ok);
    c.header("Cache-Control", "no-store");
    return c.json({ status: ok ? "ok" : "failing", service: "backend", version, checks }, ok ? 200 : 503);
  });

  routes.get("/version", (c) => c.json({ service: "backend", version }));

  return routes;
}

async function timed(run: () => Promise<void>): Promise<Check> {
  const start = performance.now();
  try {
    await run();
    return { ok: true, ms: Math.round(performance.now() - start) };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}
