import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { isDatabaseAway, openPool, ping } from "../src/database";

const NOWHERE = "postgres://crm@127.0.0.1:1/crm";

test("a connection that is lost, idle or in use, does not end the process", () => {
  const pool = openPool(NOWHERE);
  const client = new EventEmitter();
  pool.emit("connect", client);
  assert.equal(client.emit("error", new Error("read ECONNRESET")), true);
  assert.equal(pool.emit("error", new Error("terminating connection"), client), true);
});

test("a ping of nobody fails, and is known as a database that is away", async () => {
  const error: unknown = await ping(openPool(NOWHERE), 1000).catch((reason: unknown) => reason);
  assert.ok(error instanceof Error);
  assert.equal(isDatabaseAway(error), true);
});

test("a mistake of our own is not", () => {
  assert.equal(isDatabaseAway(Object.assign(new Error("syntax error"), { code: "42601" })), false);
  assert.equal(isDatabaseAway("away"), false);
});
