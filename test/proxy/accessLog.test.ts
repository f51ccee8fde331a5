import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause } from "../e2e/lib/command";
import type { Values } from "../plan/support/config";
import { doorOf, DOORS } from "../../plan/wanted/doors";
import { Visitor } from "./lib/client";
import { type Proxy, Stand } from "./lib/stand";

const SITE: Values = {
  host: { address: "local" },
  domain: "site.example",
  http: { port: 8080 },
  redirects: { "old.example": "site.example" },
  services: {
    app: { image: "app:1", port: 3000, route: "/", health: "/echo", memory: 64, basicAuth: {} },
    api: { image: "api:1", port: 3000, route: "/api/", health: "/echo", memory: 64, needs: ["app"] },
  },
};
const LIVE = { app: "app-one:3000", api: "api-one:3000" };
const line = z.strictObject({
  at: z.number(),
  seconds: z.number(),
  status: z.number(),
  held: z.number(),
  upstream: z.string(),
  bytes: z.number(),
  time: z.iso.datetime({ offset: true }),
  service: z.string(),
  container: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
});
type Line = z.infer<typeof line>;

describe("the access log, of a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let visitor: Visitor;

  /** The lines that came since the same call before, once the wanted number is there. */
  let seen = 0;
  async function logged(count: number): Promise<Line[]> {
    for (let tries = 0; ; tries += 1) {
      const all = (await proxy.output()).split("\n").filter((text) => text !== "");
      if (all.length >= seen + count || tries > 40) {
        const fresh = all.slice(seen).map((text) => line.parse(JSON.parse(text)));
        seen = all.length;
        expect(fresh).toHaveLength(count);
        return fresh;
      }
      await pause(50);
    }
  }

  beforeAll(async () => {
    stand = await Stand.create();
    await Promise.all(["app-one", "api-one"].map((key) => stand.service(key)));
    proxy = await stand.proxy(SITE);
    visitor = new Visitor(await proxy.port());
    await proxy.route(LIVE);
    await visitor.untilServed("/echo");
    await visitor.untilServed("/api/echo");
    await pause(200);
    seen = (await proxy.output()).split("\n").filter((text) => text !== "").length;
  });
  afterAll(() => stand.remove());

  it("tells of a request what a release must know, and nothing that is secret", async () => {
    await visitor.get("/echo?token=hidden", {
      headers: { Cookie: "session=hidden", Authorization: "Basic aGlkZGVuOmhpZGRlbg==" },
    });
    const [told] = await logged(1);
    expect(told).toMatchObject({
      status: 200,
      held: 0,
      upstream: "200",
      service: "app",
      container: "app-one",
      method: "GET",
      host: "site.example",
      path: "/echo",
    });
    expect(Math.abs((told?.at ?? 0) * 1000 - Date.now())).toBeLessThan(10_000);
    expect(JSON.stringify(told)).not.toMatch(/hidden|aGlkZGVu/);
  });

  it("tells a service's own answer from one of nginx", async () => {
    await visitor.get("/status?code=500");
    await proxy.route({ ...LIVE, api: "nobody:3000" });
    await pause(100);
    await visitor.get("/api/echo");
    await proxy.route(LIVE);
    const [own, nginx] = await logged(2);
    expect(own).toMatchObject({ status: 500, upstream: "500" });
    expect(nginx).toMatchObject({ service: "api", container: "nobody" });
    expect(nginx?.status).toBeGreaterThanOrEqual(502);
    expect(nginx?.upstream).not.toBe("200");
  });

  it("tells how long one was held, and which container answered it then", async () => {
    await proxy.route({ ...LIVE, app: "hold" });
    const waiting = visitor.get("/echo?held");
    await pause(700);
    await proxy.route(LIVE);
    expect((await waiting).status).toBe(200);
    const [told] = await logged(1);
    expect(told).toMatchObject({ status: 200, container: "app-one", path: "/echo" });
    expect(told?.held).toBeGreaterThan(0.4);
    // Its steps are counted, and timers are a little early.
    expect(told?.held).toBeLessThan((told?.seconds ?? 0) + 0.1);
  });

  it("has other names, and names of nobody, and quotes what a visitor makes up", async () => {
    await new Visitor(visitor.port, "old.example").get("/a");
    await new Visitor(visitor.port, "nobody.example").get("/b");
    await visitor.get(`/"},{"path":"%22é\\`);
    const [moved, nobody, odd] = await logged(3);
    expect(moved).toMatchObject({ status: 301, host: "old.example", path: "/a", service: "", upstream: "" });
    expect(nobody).toMatchObject({ status: 404, host: "nobody.example", path: "/b", container: "" });
    expect(odd?.path).toContain(`"},{"path":"`);
  });

  it("says nothing of what services and the runner ask, and nothing else complains", async () => {
    await stand.inside("api-one", "node", "-e", `fetch("http://app:3000/echo").then((r) => r.text())`);
    await proxy.curl("--unix-socket", DOORS.live, "-H", "Host: site.example", "http://localhost/echo");
    await proxy.curl("--unix-socket", doorOf("app"), "http://localhost/echo");
    await visitor.get("/echo?last");
    expect(await logged(1)).toEqual([expect.objectContaining({ path: "/echo" })]);
    expect(await proxy.log()).not.toMatch(/uninitialized|\[emerg\]|\[alert\]/);
  });

  it("can be switched off", async () => {
    await proxy.reload({ ...SITE, proxy: { accessLog: false } });
    await visitor.untilServed("/echo");
    seen = (await proxy.output()).split("\n").filter((text) => text !== "").length;
    await visitor.get("/echo");
    await pause(300);
    await logged(0);
  });
});
