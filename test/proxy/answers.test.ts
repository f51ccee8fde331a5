import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { change, type Values } from "../plan/support/config";
import { doorOf, DOORS } from "../../plan/wanted/doors";
import { Visitor } from "./lib/client";
import type { Proxy } from "./lib/stand";
import { Stand } from "./lib/stand";

const SITE: Values = {
  host: { address: "local" },
  domain: ["site.example", "www.site.example"],
  http: { port: 8080 },
  services: {
    app: { image: "app:1", port: 3000, route: "/", health: "/echo", memory: 64, needs: ["api"] },
    api: { image: "api:1", port: 8083, route: ["/api/"], health: "/echo", memory: 64 },
  },
};
const LIVE = { app: "app-one:3000", api: "api-one:8083" };
const echoed = z.object({ version: z.string(), headers: z.record(z.string(), z.string()) });
const headersOf = (text: string) => echoed.parse(JSON.parse(text)).headers;

/** All that a visitor could say of himself. */
const SPOOFED = {
  "X-Forwarded-For": "198.51.100.7",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Port": "666",
  "X-Real-IP": "198.51.100.7",
  Forwarded: "for=198.51.100.7;proto=https",
};

describe("answers and headers, through a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let visitor: Visitor;

  beforeAll(async () => {
    stand = await Stand.create();
    await Promise.all([stand.service("app-one"), stand.service("app-two"), stand.service("api-one", 8083)]);
    proxy = await stand.proxy(SITE);
    visitor = new Visitor(await proxy.port());
    await proxy.route({ ...LIVE, app: "app-two:3000" });
    await visitor.untilServed("/echo");
    await proxy.route(LIVE);
    await visitor.untilServed("/echo");
    await visitor.untilServed("/api/echo");
  });
  afterAll(() => stand.remove());

  it.each([
    ["site.example", "/echo", 200],
    ["WWW.site.example:8080", "/echo", 200],
    ["www.site.example", "/api/echo", 200],
    ["other.example", "/echo", 404],
    ["127.0.0.1", "/", 404],
    ["site.example", "/.deploy/hold", 404],
  ])("%s%s: %i", async (host, path, status) => {
    const told = await new Visitor(visitor.port, host).get(path);
    expect(told.status).toBe(status);
    if (status === 404 && path !== "/.deploy/hold")
      expect([told.headers["content-type"], told.text]).toEqual(["text/plain", "no such site\n"]);
  });

  it("tells a service who asks for what, whatever the visitor says of himself", async () => {
    const plain = headersOf((await visitor.get("/echo")).text);
    expect(plain).toMatchObject({
      host: "site.example",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "site.example",
      "x-forwarded-port": "8080",
    });
    expect(plain["x-real-ip"]).toMatch(/^[0-9.]+$/);
    expect(plain["x-forwarded-for"]).toBe(plain["x-real-ip"]);
    const agent = { "User-Agent": "test", Cookie: "a=b", "X-Custom": "kept" };
    const spoofed = headersOf((await visitor.get("/echo", { headers: { ...SPOOFED, ...agent } })).text);
    expect(spoofed).toEqual({ ...plain, "user-agent": "test", cookie: "a=b", "x-custom": "kept" });
  });

  it("hands on no upgrade but websockets", async () => {
    const asked = {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQAAP__",
    };
    const headers = headersOf((await visitor.get("/echo", { headers: asked })).text);
    expect([headers.connection, headers.upgrade]).toEqual(["close", undefined]);
  });

  it("lets a service hand on for whom it asks another one, under that one's name", async () => {
    const script = `fetch("http://api:8083/echo", { headers: JSON.parse(process.argv[1]) }).then((r) => r.text()).then(console.log)`;
    const ask = async (headers: Record<string, string>) =>
      headersOf(await stand.inside("app-one", "node", "-e", script, JSON.stringify(headers)));
    expect(await ask({})).toMatchObject({
      host: "api:8083",
      "x-forwarded-proto": "http",
      "x-forwarded-port": "8083",
    });
    expect(await ask(SPOOFED)).toMatchObject({
      "x-real-ip": "198.51.100.7",
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      "x-forwarded-port": "666",
    });
  });

  it("believes the proxies in front that are named, and no other", async () => {
    await proxy.reload(
      change(SITE, "proxy.trust", ["203.0.113.0/24", "172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"]),
    );
    const chain = { ...SPOOFED, "X-Forwarded-For": "192.0.2.1, 198.51.100.7, 203.0.113.5" };
    expect(headersOf((await visitor.get("/echo", { headers: chain })).text)).toMatchObject({
      "x-real-ip": "198.51.100.7",
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      "x-forwarded-port": "666",
    });
    const usual = { "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https" };
    expect(headersOf((await visitor.get("/echo", { headers: usual })).text)["x-forwarded-port"]).toBe("443");
    await proxy.reload(change(SITE, "proxy.trust", ["203.0.113.0/24"]));
    const headers = headersOf((await visitor.get("/echo", { headers: chain })).text);
    expect([headers["x-forwarded-proto"], headers["x-forwarded-for"]]).toEqual([
      "http",
      headers["x-real-ip"],
    ]);
    expect(headers["x-real-ip"]).not.toBe("198.51.100.7");
    await proxy.reload(SITE);
  });

  it("is asked for a service by the check of a release, whatever its name and port", async () => {
    const check = (service: string) =>
      proxy.curl("--unix-socket", doorOf(service), "-H", "Host: other.example", "http://localhost/counts");
    expect(JSON.parse(await check("api"))).toHaveProperty("/counts");
    expect(JSON.parse(await check("app"))).toHaveProperty("/counts");
  });

  it("is asked for health as a visitor is: a service that knows its names and forces https is healthy", async () => {
    const strict = "/strict?host=site.example&proto=https";
    const direct = (origin: string) => proxy.asked(`http://app-one:3000${strict}`, origin);
    const through = (origin: string) => proxy.asked(`http://app:3000${strict}`, origin, doorOf("app"));
    for (const ask of [direct, through]) {
      expect(await ask("https://site.example")).toBe("");
      expect(await ask("http://site.example")).toMatch(/answers 301 \(asked as http:\/\/site\.example\)$/);
      expect(await ask("https://app-one:3000")).toMatch(/answers 400 /);
    }
  });

  it("shows the candidate on its own door only, and there as visitors would see it", async () => {
    await proxy.route(LIVE, { app: "app-two:3000" });
    const door = async (kind: "candidate" | "live", path: string) => {
      const headers = ["-H", "Host: site.example", "-H", "X-Forwarded-For: 127.0.0.1"];
      const answer = await proxy.curl("--unix-socket", DOORS[kind], ...headers, `http://localhost${path}`);
      return echoed.parse(JSON.parse(answer));
    };
    expect(await door("candidate", "/echo")).toMatchObject({
      version: "two",
      headers: { "x-forwarded-port": "8080", "x-real-ip": "127.0.0.1", "x-forwarded-for": "127.0.0.1" },
    });
    expect((await door("candidate", "/api/echo")).version).toBe("one");
    expect((await door("live", "/echo")).version).toBe("one");
    expect(echoed.parse(JSON.parse((await visitor.get("/echo")).text)).version).toBe("one");
    await proxy.route(LIVE);
  });

  it("asks a service that breaks off, or is silent, once only, and says that it is not known what was done", async () => {
    const broken = await visitor.post("/break", Buffer.alloc(10));
    expect([broken.status, broken.headers["retry-after"]]).toEqual([502, undefined]);
    await proxy.reload(change(SITE, "proxy.timeout", 1));
    const silent = await visitor.post("/silent", Buffer.alloc(10), {
      headers: { Accept: "application/json" },
    });
    expect([silent.status, silent.headers["retry-after"]]).toEqual([504, undefined]);
    expect(JSON.parse(silent.text)).toMatchObject({ error: "no answer in time" });
    expect(JSON.parse((await visitor.get("/counts")).text)).toMatchObject({ "/break": 1, "/silent": 1 });
    await proxy.reload(SITE);
  });

  it("says that nothing serves in a clean page or in JSON, also to HEAD and POST", async () => {
    await proxy.route({});
    for (const [method, body] of [["GET"], ["HEAD"], ["POST", Buffer.alloc(100_000)], ["DELETE"]] as const) {
      const told = await visitor.send("/echo", { method, body });
      expect([method, told.status, told.headers["retry-after"], told.headers["content-type"]]).toEqual([
        method,
        503,
        "5",
        "text/html; charset=utf-8",
      ]);
      expect(told.text).toMatch(method === "HEAD" ? /^$/ : /^<!doctype html>.*<h1>Back in a moment<\/h1>/);
    }
    const accepts: [string, string][] = [
      ["application/json", "application/json"],
      ["application/json, text/plain, */*", "application/json"],
      ["application/vnd.api+json", "application/json"],
      ["text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"],
      ["*/*", "text/html; charset=utf-8"],
    ];
    for (const [accept, type] of accepts) {
      const told = await visitor.get("/echo", { headers: { Accept: accept } });
      expect([accept, told.headers["content-type"]]).toEqual([accept, type]);
      if (type === "application/json") expect(JSON.parse(told.text)).toMatchObject({ error: "unavailable" });
    }
    await proxy.route(LIVE);
  });

  it("gives up kept connections before a reload, and then fails no request", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    let asked = 0;
    const failures: unknown[] = [];
    let reloading = true;
    const client = async () => {
      while (reloading) {
        const told = await visitor.get("/echo", { agent }).catch(String);
        if (typeof told === "string" || told.status !== 200) failures.push(told);
        asked += 1;
      }
    };
    const clients = Promise.all(Array.from({ length: 10 }, client));
    for (let i = 1; i <= 5; i += 1) await proxy.reload(change(SITE, "proxy.maxBody", i));
    await proxy.reload(SITE);
    reloading = false;
    await clients;
    agent.destroy();
    console.log(`${asked} requests over 6 reloads`);
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });

  it("keeps the routes of the others when a service is missing, also after its own restart", async () => {
    await stand.stop("app-one");
    const missing = await visitor.get("/echo");
    expect([missing.status, missing.headers["retry-after"]]).toEqual([503, "5"]);
    expect((await visitor.get("/api/echo")).status).toBe(200);
    await stand.stop("proxy");
    await stand.start("proxy");
    const again = new Visitor(await proxy.port());
    await again.untilServed("/api/echo");
    expect((await again.get("/echo")).status).toBe(503);
    await stand.start("app-one");
    await again.untilServed("/echo");
  });
});
