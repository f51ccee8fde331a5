import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, type AppParts } from "../src/app";
import { openDatabase, openPool } from "../src/database";

const NOWHERE = "postgres://crm@127.0.0.1:1/crm";

/** The app before a database that nobody answers for. */
function app(parts: Partial<AppParts> = {}) {
  return createApp({
    database: openDatabase(openPool(NOWHERE)),
    ping: () => Promise.resolve(),
    fault: { name: "none" },
    stop: new AbortController().signal,
    ...parts,
  });
}

const send = (method: string, body: unknown) => ({ method, body: JSON.stringify(body) });

test("health is the database's", async () => {
  const well = await app().request("/api/health");
  assert.equal(well.status, 200);
  const away = await app({ ping: () => Promise.reject(new Error("refused")) }).request("/api/health");
  assert.equal(away.status, 503);
  const { checks } = (await away.json()) as { checks: unknown };
  assert.deepEqual(checks, { database: { ok: false, reason: "refused" } });
});

test("faults on order are seen", async () => {
  assert.equal((await app({ fault: { name: "unhealthy" } }).request("/api/health")).status, 503);
  const page = app({ fault: { name: "page" } });
  assert.equal((await page.request("/api/health")).status, 200);
  assert.equal((await page.request("/api/contacts")).status, 500);
});

test("wrong input is refused field by field, before the database is asked", async () => {
  const answer = await app().request("/api/contacts", send("POST", { name: " ", email: "nobody", age: 5 }));
  assert.equal(answer.status, 400);
  const { issues } = (await answer.json()) as { issues: { path: string }[] };
  assert.deepEqual(
    issues.map(({ path }) => path),
    ["name", "email", ""],
  );
  assert.equal((await app().request("/api/deals/1", send("PATCH", {}))).status, 400);
  assert.equal((await app().request("/api/deals/0", send("PATCH", { amount: 1 }))).status, 404);
});

test("a database that is away is an answer of 503", async () => {
  const answer = await app().request("/api/contacts");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("Retry-After"), "1");
});

test("once it is to stop, every answer closes its connection", async () => {
  assert.equal((await app().request("/api/version")).headers.get("Connection"), null);
  const stopping = await app({ stop: AbortSignal.abort() }).request("/api/version");
  assert.equal(stopping.headers.get("Connection"), "close");
});
