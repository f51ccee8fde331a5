import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { routesScript } from "../../host/bundle";
import { pause } from "../e2e/lib/command";
import type { Values } from "../plan/support/config";
import { Visitor } from "./lib/client";
import { type Proxy, Stand } from "./lib/stand";

const SITE: Values = {
  host: { address: "local" },
  domain: ["site.example", "www.site.example"],
  services: {
    app: { image: "app:1", port: 3000, route: "/", health: "/echo", memory: 64 },
    api: { image: "api:1", port: 3000, route: "/api/", health: "/echo", memory: 64 },
  },
};
const ONE = { app: "app-one:3000", api: "api-one:3000" };
const TWO = { app: "app-two:3000", api: "api-one:3000" };
/** With 64 MiB, as plan/site/nginx.ts has it. */
const WAITING = 249;
const echoed = z.object({ version: z.string(), bytes: z.number(), method: z.string() });

describe("routes, through a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let visitor: Visitor;

  beforeAll(async () => {
    stand = await Stand.create();
    await Promise.all(["app-one", "app-two", "api-one"].map((key) => stand.service(key)));
    proxy = await stand.proxy(SITE);
    visitor = new Visitor(await proxy.port());
    await proxy.route(ONE);
    await visitor.untilServed("/echo");
    await visitor.untilServed("/api/echo");
    await proxy.route(TWO);
    await visitor.untilServed("/echo");
    await proxy.route(ONE);
  });
  afterAll(() => stand.remove());

  it("keeps every kept connection over a switch, and fails none of some thousand requests", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    const versions = new Set<string>();
    const sockets = new Set<unknown>();
    let asked = 0;
    let switching = true;
    const client = async (n: number) => {
      for (let i = 0; switching || i < 200; i += 1) {
        const body = Buffer.alloc(n % 2 === 0 ? 0 : 2000, "x");
        const told = await visitor.send(`/echo?${n}-${i}`, {
          method: n % 2 === 0 ? "GET" : "POST",
          body,
          agent,
        });
        expect(told.status).toBe(200);
        const { version, bytes } = echoed.parse(JSON.parse(told.text));
        expect(bytes).toBe(body.length);
        versions.add(version);
        asked += 1;
        for (const one of Object.values(agent.sockets).flat()) sockets.add(one);
      }
    };
    const clients = Promise.allSettled(Array.from({ length: 10 }, (_, n) => client(n)));
    for (let i = 0; i < 10; i += 1) {
      await proxy.route(i % 2 === 0 ? TWO : ONE);
      await pause(100);
    }
    switching = false;
    const failed = (await clients).filter(({ status }) => status === "rejected");
    expect(failed).toEqual([]);
    agent.destroy();
    expect(asked).toBeGreaterThanOrEqual(2000);
    expect([...versions].sort()).toEqual(["one", "two"]);
    expect(sockets.size, "connections").toBe(10);
    console.log(`${asked} requests over 10 switches`);
  });

  it("lets requests wait, each with its body still unread, and then go to the successor", async () => {
    await proxy.route({ ...ONE, app: "hold" });
    const chunks = [Buffer.alloc(100_000), Buffer.alloc(50_000)];
    const waiting = [
      visitor.get("/echo"),
      visitor.post("/echo", Buffer.alloc(5_000_000, "y")),
      visitor.post("/echo", Readable.from(chunks)),
      visitor.post("/echo", Buffer.alloc(5_000_000, "z"), { headers: { Expect: "100-continue" } }),
      visitor.send("/echo", { method: "HEAD" }),
    ];
    expect((await visitor.get("/api/echo")).status, "the other service").toBe(200);
    await pause(500);
    expect(await proxy.written()).toBe("/tmp/nginx.pid");
    await proxy.route(TWO);
    const told = await Promise.all(waiting);
    expect(told.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(told.slice(0, 4).map(({ text }) => echoed.parse(JSON.parse(text)))).toEqual([
      { version: "two", method: "GET", bytes: 0 },
      { version: "two", method: "POST", bytes: 5_000_000 },
      { version: "two", method: "POST", bytes: 150_000 },
      { version: "two", method: "POST", bytes: 5_000_000 },
    ]);
  });

  it("lets no more wait than it has memory for: the others are told to come back, and nobody is cut off", async () => {
    // A minute's looks in six seconds.
    const hasty = changed({
      "HOLD_STEP_MS = 50": "HOLD_STEP_MS = 5",
      "HOLD_CHECK_MS = 5000": "HOLD_CHECK_MS = 500",
    });
    await proxy.reload(SITE, hasty);
    const flood: Promise<number>[] = [];
    const come = async (count: number) => {
      for (let sent = 0; sent < count; sent += 1) {
        flood.push(visitor.get("/echo", { patience: 50_000 }).then(({ status }) => status));
        if (sent % 50 === 0) await pause(50);
      }
    };
    await proxy.route({ ...ONE, app: "hold" });
    await come(WAITING / 3);
    // A release tries its services and its site, and takes both back.
    await proxy.route({ ...ONE, app: "hold" }, TWO);
    await proxy.reload({ ...SITE, proxy: { maxBody: 20 } }, hasty);
    await come(WAITING / 3);
    await proxy.reload(SITE, hasty);
    await proxy.route({ ...ONE, app: "hold" });
    await come(WAITING / 3 + 300);
    expect((await visitor.get("/echo")).headers["retry-after"]).toBe("5");
    expect((await visitor.get("/api/echo")).status, "the other service").toBe(200);
    await pause(6000);
    const memory = await proxy.memory();
    await proxy.route(TWO);
    const told = await Promise.all(flood);
    expect([200, 503].map((status) => told.filter((one) => one === status).length)).toEqual([WAITING, 300]);
    expect(await proxy.killed()).toBe(false);
    console.log(`nginx while ${WAITING} requests wait: ${memory.toFixed(1)} MiB`);
  });

  it("lets who waits for a service that is renamed go to its successor", async () => {
    await proxy.route({ ...ONE, api: "hold" });
    const waiting = [visitor.get("/api/echo"), visitor.post("/api/echo", Buffer.alloc(100_000, "y"))];
    await pause(300);
    const { api, ...others } = SITE.services as { api: Values; app: Values };
    await proxy.reload({ ...SITE, services: { ...others, renamed: api } });
    await proxy.route({ app: ONE.app, renamed: TWO.app }, {}, {}, { api: TWO.app });
    const told = await Promise.all(waiting);
    expect(told.map(({ status, text }) => [status, echoed.parse(JSON.parse(text)).version])).toEqual([
      [200, "two"],
      [200, "two"],
    ]);
    await proxy.reload(SITE);
    await proxy.route(ONE);
  });

  it("lets nobody wait for longer than its limit", async () => {
    await proxy.reload(SITE, changed({ "HOLD_LIMIT_MS = 60000": "HOLD_LIMIT_MS = 500" }));
    await proxy.route({ ...ONE, app: "hold" });
    const told = await Promise.all([visitor.get("/echo"), visitor.post("/echo", Buffer.alloc(5_000_000))]);
    expect(told.map(({ status, headers }) => [status, headers["retry-after"]])).toEqual([
      [503, "5"],
      [503, "5"],
    ]);
  });

  it("ends a hold that its runner has forgotten: requests go to what served before", async () => {
    await proxy.route({ ...ONE, app: "hold" }, {}, ONE);
    const uptime = Number((await readFile("/proc/uptime", "utf8")).split(".")[0]);
    await proxy.edit("routes.json", (text) => text.replace('"since":0', `"since":${uptime}`));
    expect((await visitor.get("/echo")).status).toBe(503);
    await proxy.edit("routes.json", (text) => text.replace(/"since":\d+/, `"since":${uptime - 121}`));
    expect(echoed.parse(JSON.parse((await visitor.get("/echo")).text)).version).toBe("one");
  });

  it("keeps a websocket, over a switch and a reload, until its own version ends", async () => {
    await proxy.route(ONE);
    const socket = await visitor.websocket("/");
    const say = async (to: Socket, text: string) => {
      const answer = once(to, "data");
      to.write(text);
      return String((await answer)[0]);
    };
    expect(await say(socket, "hello")).toBe("one: hello");
    await proxy.route(TWO);
    await proxy.reload(SITE);
    expect(await say(socket, "hello again")).toBe("one: hello again");
    const newer = await visitor.websocket("/");
    expect(await say(newer, "hello")).toBe("two: hello");
    expect(await stand.connectionsTo("app-one")).toBe(1);
    const closed = once(socket, "close");
    await stand.stop("app-one");
    await closed;
    expect(await say(newer, "still there")).toBe("two: still there");
    newer.destroy();
  });
});

/** The product's script with other limits. */
function changed(changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((script, [from, to]) => {
    if (!script.includes(from)) throw new Error(`the script does not say: ${from}`);
    return script.replace(from, to);
  }, routesScript());
}
