import { Agent, type ClientRequest, request } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { createGunzip, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause } from "../e2e/lib/command";
import type { Values } from "../plan/support/config";
import { type Told, Visitor } from "./lib/client";
import type { Proxy } from "./lib/stand";
import { Stand } from "./lib/stand";

const MIB = 1024 * 1024;
/** Each way. */
const SLOW = 50;
const SITE: Values = {
  host: { address: "local" },
  domain: "site.example",
  proxy: { maxBody: 16 },
  services: { app: { image: "app:1", port: 3000, route: "/", health: "/echo", memory: 64 } },
};
const echoed = z.object({ version: z.string(), bytes: z.number() });
const seen = ({ text }: Told) => echoed.parse(JSON.parse(text));

describe("bodies, through a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let visitor: Visitor;

  beforeAll(async () => {
    stand = await Stand.create();
    await Promise.all(["app-one", "app-two"].map((key) => stand.service(key)));
    proxy = await stand.proxy(SITE);
    visitor = new Visitor(await proxy.port());
    await proxy.route({ app: "app-one:3000" });
    await visitor.untilServed("/echo");
    await proxy.route({ app: "app-two:3000" });
    await visitor.untilServed("/echo");
  });
  afterAll(() => stand.remove());

  it("an upload that began before a switch is seen by drain, and ends where it began", async () => {
    await proxy.route({ app: "app-one:3000" });
    expect(await stand.connectionsTo("app-one")).toBe(0);
    const bodies = [new PassThrough(), new PassThrough(), new PassThrough()];
    const uploads = bodies.map((body, i) => {
      body.write(Buffer.alloc(1000));
      return visitor.post("/echo", body, { headers: i === 0 ? { "Content-Length": "2000" } : {} });
    });
    for (let i = 0; i < 100 && (await stand.connectionsTo("app-one")) < 3; i += 1) await pause(50);
    await proxy.route({ app: "app-two:3000" });
    expect(seen(await visitor.post("/echo", Buffer.alloc(5)))).toEqual({ version: "two", bytes: 5 });
    expect(await stand.connectionsTo("app-one")).toBe(3);
    for (const body of bodies) body.end(Buffer.alloc(1000));
    const all = { version: "one", bytes: 2000 };
    expect((await Promise.all(uploads)).map(seen)).toEqual([all, all, all]);
    expect(await stand.connectionsTo("app-one")).toBe(0);
  });

  it("takes bodies up to the limit, of known length or chunked, and refuses larger ones", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const most = Buffer.alloc(16 * MIB, "x");
    const chunked = (bytes: number) => Readable.from(parts(bytes));
    expect(seen(await visitor.post("/echo", most, { agent }))).toEqual({
      version: "two",
      bytes: most.length,
    });
    expect(seen(await visitor.post("/echo", chunked(most.length), { agent })).bytes).toBe(most.length);
    const expectContinue = { Expect: "100-continue" };
    expect(seen(await visitor.post("/echo", most, { agent, headers: expectContinue })).bytes).toBe(
      most.length,
    );

    for (const body of [Buffer.concat([most, Buffer.alloc(1)]), chunked(most.length + 1)]) {
      const refused = await visitor.post("/echo", body, { agent, headers: { Accept: "application/json" } });
      expect([refused.status, JSON.parse(refused.text)]).toEqual([
        413,
        expect.objectContaining({ error: "too large" }),
      ]);
      expect(refused.headers.connection).toBe("close");
      expect((await visitor.get("/echo", { agent })).status).toBe(200);
    }
    agent.destroy();
  });

  it.each([
    ["events", "/events", "text/event-stream", undefined, ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]],
    ["rows, compressed", "/rows", "application/json", "gzip", ['{"row":0}\n', '{"row":1}\n', '{"row":2}\n']],
  ])(
    "%s arrive when they happen: the next one happens only after this one arrived",
    async (_, path, ...wanted) => {
      const [type, encoding, texts] = wanted;
      const response = await visitor.open(path, { "Accept-Encoding": "gzip" });
      expect([response.headers["content-type"], response.headers["content-encoding"]]).toEqual([
        type,
        encoding,
      ]);
      const arrived: string[] = [];
      for await (const part of encoding === undefined ? response : response.pipe(createGunzip())) {
        arrived.push(String(part));
        await visitor.get("/next");
      }
      expect(arrived).toEqual(texts);
    },
  );

  it.each([
    ["a text", "/text?bytes=5000", "gzip", "gzip"],
    ["a chunked text", "/text?bytes=200&chunked", "gzip", "gzip"],
    ["a text for one who does not ask", "/text?bytes=5000", "identity", undefined],
    ["what is small", "/text?bytes=500", "gzip", undefined],
    ["what is no text", "/text?bytes=5000&type=image/png", "gzip", undefined],
  ])("compresses %s: %s, %s -> %s", async (_, path, accept, encoding) => {
    const { headers, body } = await visitor.get(path, { headers: { "Accept-Encoding": accept } });
    expect(headers["content-encoding"]).toBe(encoding);
    if (encoding === undefined) return;
    expect(headers.vary).toBe("Accept-Encoding");
    expect(gunzipSync(body).toString()).toMatch(/^(0123456789abcdef)+[0-9a-f]*$/);
  });

  it("needs little memory for many large and slow bodies, and writes none of them down", async () => {
    const before = await proxy.memory();
    const url = {
      host: "127.0.0.1",
      port: visitor.port,
      headers: { Host: "site.example" },
      agent: false,
    } as const;
    const body = Buffer.alloc(15 * MIB);
    const open: ClientRequest[] = [];
    // Nobody reads: neither these visitors what the service sends, nor the service what the others send.
    for (let i = 0; i < SLOW; i += 1) {
      const download = request({ ...url, path: `/text?bytes=${50 * MIB}` });
      download.on("response", (response) => response.pause()).end();
      const upload = request({ ...url, path: "/silent", method: "POST" });
      upload.write(body);
      open.push(download, upload);
    }
    for (const one of open) one.on("error", () => undefined);
    let most = 0;
    let connections = 0;
    for (let i = 0; i < 150 && (i < 10 || connections < 2 * SLOW); i += 1) {
      await pause(200);
      most = Math.max(most, await proxy.memory());
      connections = await stand.connectionsTo("app-two");
    }
    expect(connections).toBe(2 * SLOW);
    expect(await proxy.written()).toBe("/tmp/nginx.pid");
    console.log(
      `nginx with ${2 * SLOW} slow bodies: ${before.toFixed(1)} MiB before, ${most.toFixed(1)} MiB at the most`,
    );
    expect((await visitor.get("/echo")).status).toBe(200);
    for (const one of open) one.destroy();
    // That an upload was given up is seen once the service reads on, or has been silent for proxy.timeout.
    for (let i = 0; i < 50 && (await stand.connectionsTo("app-two")) > SLOW; i += 1) await pause(100);
    expect(await stand.connectionsTo("app-two")).toBeLessThanOrEqual(SLOW);
    expect(await proxy.killed()).toBe(false);
  });
});

function* parts(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= MIB) yield Buffer.alloc(Math.min(left, MIB), "c");
}
