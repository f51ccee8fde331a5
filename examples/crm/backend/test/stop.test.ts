import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import { type AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { drain } from "../src/stop";

test("a request in flight is finished, and then nothing listens", async () => {
  const server = createServer((_, response) => void sleep(600).then(() => response.end("done")));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const request = get({ port, host: "127.0.0.1", agent });
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  await once(server, "request");

  const drained = drain(server);
  const [response] = await answered;
  assert.equal((await response.setEncoding("utf8").toArray()).join(""), "done");
  agent.destroy();
  await drained;
  assert.equal(server.listening, false);
});

test("with nobody connected there is nothing to wait for", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const start = performance.now();
  await drain(server);
  assert.ok(performance.now() - start < 200);
});
