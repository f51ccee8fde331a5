import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause } from "../e2e/lib/command";
import type { Values } from "../plan/support/config";
import { DOORS } from "../../plan/wanted/doors";
import { Visitor } from "./lib/client";
import type { Proxy } from "./lib/stand";
import { Stand } from "./lib/stand";

const PASSWORD = "correct horse: battery";
const SITE: Values = {
  host: { address: "local" },
  domain: ["site.example"],
  redirects: { "www.site.example": "site.example" },
  http: { port: 8080 },
  proxy: { maxBody: 1, timeout: 60 },
  services: {
    app: {
      image: "app:1",
      port: 3000,
      route: "/",
      health: "/echo",
      memory: 64,
      headers: { "X-Frame-Options": "DENY", "Content-Security-Policy": `default-src 'self'; img-src "x"` },
      cache: ["/static/"],
    },
    api: {
      image: "api:1",
      port: 3000,
      host: ["api.site.example", "*.tenants.example"],
      route: ["/"],
      health: "/echo",
      memory: 64,
      maxBody: 3,
      timeout: 1,
    },
    back: {
      image: "back:1",
      port: 3000,
      route: ["/back/"],
      health: "/echo",
      memory: 64,
      basicAuth: { "anna@site.example": PASSWORD, boris: "another one" },
    },
    inner: {
      image: "inner:1",
      port: 3000,
      route: ["/inner/"],
      health: "/echo",
      memory: 64,
      allow: ["192.0.2.0/24", "2001:db8::/32"],
    },
  },
  identityKey: "0123456789abcdef0123456789abcdef",
};
const LIVE = { app: "app-one:3000", api: "api-one:3000", back: "back-one:3000", inner: "inner-one:3000" };
const basic = (login: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`,
});
const versionOf = (text: string): string => z.object({ version: z.string() }).parse(JSON.parse(text)).version;

describe("what a service has of its own, through a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let visitor: Visitor;
  let api: Visitor;

  beforeAll(async () => {
    stand = await Stand.create();
    await Promise.all(Object.keys(LIVE).map((name) => stand.service(`${name}-one`)));
    await stand.service("api-two");
    proxy = await stand.proxy(SITE);
    visitor = new Visitor(await proxy.port());
    api = new Visitor(visitor.port, "api.site.example");
    await proxy.route(LIVE);
    await visitor.untilServed("/echo");
    await api.untilServed("/echo");
  });
  afterAll(() => stand.remove());

  it.each([
    ["site.example", "/echo", 200],
    ["api.site.example", "/echo", 200],
    ["one.tenants.example", "/echo", 200],
    ["two.ONE.tenants.example", "/echo", 200],
    ["tenants.example", "/echo", 404],
    ["other.site.example", "/echo", 404],
    // The site's other routes are not the API's.
    ["api.site.example", "/back/", 404],
  ])("%s%s: %i", async (host, path, status) => {
    expect((await new Visitor(visitor.port, host).get(path)).status).toBe(status);
  });

  it("sends another name on to the site, path and query kept", async () => {
    const told = await new Visitor(visitor.port, "www.site.example").get("/a%20b/?c=d%2F");
    expect([told.status, told.headers.location]).toEqual([301, "http://site.example:8080/a%20b/?c=d%2F"]);
  });

  it("adds headers, in place of the service's own, to its errors too", async () => {
    for (const path of ["/echo", "/missing"]) {
      const { headers } = await visitor.get(path);
      expect(headers["x-frame-options"], path).toBe("DENY");
      expect(headers["content-security-policy"], path).toBe(`default-src 'self'; img-src "x"`);
    }
    expect((await api.get("/echo")).headers["x-frame-options"]).toBeUndefined();
  });

  it("lets browsers keep what never changes, and only if it is there", async () => {
    const kept = await visitor.get("/static/echo");
    const missing = await visitor.get("/static/missing");
    expect([kept.status, kept.headers["cache-control"]]).toEqual([
      200,
      "public, max-age=31536000, immutable",
    ]);
    expect([missing.status, missing.headers["cache-control"]]).toEqual([404, undefined]);
    expect(kept.headers["x-frame-options"]).toBe("DENY");
    expect((await visitor.get("/echo")).headers["cache-control"]).toBeUndefined();
  });

  it("takes larger bodies where a service may have them", async () => {
    const body = (mib: number) => Buffer.alloc(mib * 1024 * 1024, "x");
    expect((await visitor.post("/echo", body(2))).status).toBe(413);
    expect((await api.post("/echo", body(2))).status).toBe(200);
    expect((await api.post("/echo", body(4))).status).toBe(413);
  });

  it("waits for a slow service as long as that one may take", async () => {
    expect((await api.get("/slow?ms=2500")).status).toBe(504);
    expect((await visitor.get("/slow?ms=2500")).status).toBe(200);
  });

  it.each([
    ["nobody", {}, 401],
    ["the wrong password", basic("boris", "anything else"), 401],
    ["another login's password", basic("boris", PASSWORD), 401],
    ["an unknown login", basic("vera", PASSWORD), 401],
    ["what is no login at all", { Authorization: "Basic !!!" }, 401],
    ["another scheme", { Authorization: "Bearer abc" }, 401],
    ["the right one", basic("anna@site.example", PASSWORD), 404],
    ["the other right one", basic("boris", "another one"), 404],
  ])("asks for a password: %s", async (_, headers, status) => {
    const told = await visitor.get("/back/page", { headers });
    expect(told.status).toBe(status);
    expect(told.headers["www-authenticate"]).toBe(
      status === 401 ? 'Basic realm="back", charset="UTF-8"' : undefined,
    );
  });

  it("lets in who comes from an allowed address, and nobody else", async () => {
    expect((await visitor.get("/inner/page")).status).toBe(403);
    // Behind a proxy that is believed, as the visitor that it names.
    await proxy.reload({ ...SITE, proxy: { ...(SITE.proxy as Values), trust: ["0.0.0.0/0"] } });
    const from = (address: string) => visitor.get("/inner/page", { headers: { "X-Forwarded-For": address } });
    expect((await from("192.0.2.7")).status).toBe(404);
    expect((await from("2001:db8::7")).status).toBe(404);
    expect((await from("198.51.100.7")).status).toBe(403);
    await proxy.reload(SITE);
  });

  it("asks whoever must wait before he waits: nobody comes in by way of an exchange", async () => {
    await proxy.route({ ...LIVE, back: "hold", inner: "hold" });
    expect((await visitor.get("/back/page", { patience: 2000 })).status).toBe(401);
    expect((await visitor.get("/inner/page", { patience: 2000 })).status).toBe(403);
    const waiting = visitor.get("/back/page", { headers: basic("boris", "another one") });
    await pause(500);
    await proxy.route(LIVE);
    expect((await waiting).status).toBe(404);
  });

  it("gives what has waited the same limits and headers", async () => {
    await proxy.route({ ...LIVE, app: "hold", api: "hold" });
    const large = api.post("/echo", Buffer.alloc(2 * 1024 * 1024, "x"));
    const slow = api.get("/slow?ms=2500");
    const page = visitor.get("/echo");
    await pause(500);
    await proxy.route({ ...LIVE, api: "api-two:3000" });
    const told = await large;
    expect([told.status, versionOf(told.text)]).toEqual([200, "two"]);
    expect((await slow).status).toBe(504);
    expect((await page).headers["x-frame-options"]).toBe("DENY");
    await proxy.route(LIVE);
  });

  it("is asked for nothing at the doors of the runner", async () => {
    for (const door of [DOORS.live, DOORS.candidate]) {
      const status = await proxy.curl(
        ...["-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: site.example"],
        ...["--unix-socket", door, "http://localhost/back/page"],
      );
      expect(status).toBe("404");
    }
  });

  it("has no password in what nginx reads", async () => {
    const text = await stand.inside("proxy", "cat", "/etc/nginx/state/nginx.conf");
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(Buffer.from(`anna@site.example:${PASSWORD}`).toString("base64"));
    expect(text).toContain("anna@site.example:");
  });
});
