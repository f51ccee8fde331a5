import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./lib/http";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "./lib/expect";
import type { LoadReport } from "./lib/load";
import { Site } from "./lib/site";

const NGINX = "nginx:1.30-trixie";

/** Images that are no proxy, and what is wrong with each. */
const NO_MODULE = `FROM ${NGINX}
USER root
RUN rm -f /etc/nginx/modules/ngx_http_js_module.so /usr/lib/nginx/modules/ngx_http_js_module.so`;
const NO_START = `FROM ${NGINX}
USER root
RUN real=$(command -v nginx) && mv "$real" "$real.real" && \\
  printf '#!/bin/sh\\ncase "$*" in *-t*) exec %s "$@" ;; esac\\necho "no such luck" >&2\\nexit 1\\n' "$real.real" >"$real" && \\
  chmod 755 "$real"`;

/** nginx changes by the same rules as everything else. */
describe("a release of the proxy, on this machine's engine", () => {
  let site: Site;
  const image = (what: string) => `deploy-e2e-nginx:${what}-${process.pid}`;

  beforeAll(async () => {
    site = await Site.onThisMachine(
      `proxy-${process.pid}`,
      "Releases of the proxy, on this machine's engine",
    );
    expectSuccess(await site.pulumi.up());
  });

  it("another limit is loaded without a restart, and no request fails", async () => {
    const before = await site.running();
    await site.workspace.set("proxy.maxBody", 1);
    const [up, load] = await site.measuredUp("another limit of the proxy");
    expectSuccess(up);
    expectUntouched(before, await site.running());
    expectNoneFailed(load);
    const large = { name: "x".repeat(1024 * 1024 + 1) };
    const refused = await ask(site.crm.port, { method: "POST", path: "/api/contacts", body: large });
    expect([refused.status, refused.text]).toEqual([413, expect.stringContaining("Too large")]);
    await back();
  });

  it("a service that no other one needs comes and goes: the proxy stays, and no request fails", async () => {
    const before = await site.running();
    const extra = {
      source: "examples/crm/frontend",
      port: 3005,
      route: "/extra/",
      health: "/health",
      memory: 64,
    };
    await site.workspace.set("services.extra", extra);
    const [up, load] = await site.measuredUp("a service comes");
    expectSuccess(up);
    expect(Object.keys(await site.running())).toContain("extra");
    expectUntouched(before, await site.running());
    expectNoneFailed(load);
    await back("a service goes");
    expect(Object.keys(await site.running())).not.toContain("extra");
    expectUntouched(before, await site.running());
  });

  it("an image that cannot read the site is found out before the old proxy is stopped", async () => {
    await build("module", NO_MODULE);
    const before = await site.running();
    await site.workspace.set("proxy.image", image("module"));
    const [up, load] = await site.measuredUp("an image without njs");
    expectFailure(up);
    expect(up.text).toMatch(/proxy-[0-9a-f]{12} cannot serve this site: .*ngx_http_js_module/);
    expect(up.text).toMatch(/release [0-9a-f]{12} serves, as before/);
    expectUntouched(before, await site.running());
    expectNoneFailed(load);
    await back();
    expectUntouched(before, await site.running());
  });

  it("an image that does not start is taken back", async () => {
    await build("start", NO_START);
    const before = await site.running();
    await site.workspace.set("proxy.image", image("start"));
    await site.workspace.set("proxy.memory", 72);
    const [up, load] = await site.measuredUp("an image that does not start");
    expectFailure(up);
    expect(up.text).toMatch(/proxy-[0-9a-f]{12} (stopped by itself|did not become healthy)/);
    expect(up.text).toMatch(/release [0-9a-f]{12} serves, as before/);
    const after = await site.running();
    expect(after.proxy?.id).toBe(before.proxy?.id);
    expectUntouched(before, after, ["backend", "database", "frontend"]);
    expectOnlyAGap(load, 15);
    await back();
  });

  it("another memory limit exchanges the proxy: seconds without connections, and nothing else", async () => {
    const before = await site.running();
    await site.workspace.set("proxy.memory", 72);
    const [up, load] = await site.measuredUp("another proxy");
    expectSuccess(up);
    const after = await site.running();
    expect(after.proxy?.id).not.toBe(before.proxy?.id);
    expect(after.proxy?.hardened.memory).toBe(72 * 1024 * 1024);
    expectUntouched(before, after, ["backend", "database", "frontend"]);
    expectOnlyAGap(load, 8);
  });

  async function back(what?: string): Promise<void> {
    await site.workspace.restore();
    const [up, load] = await site.measuredUp(what ?? "that reverted");
    expectSuccess(up);
    expectNoneFailed(load);
  }

  async function build(what: string, dockerfile: string): Promise<void> {
    await site.host.sh(`docker build -q -t ${image(what)} - <<'DOCKERFILE'\n${dockerfile}\nDOCKERFILE`);
  }

  // The engine is shared with others: this takes back all that was made, the data and the images too.
  afterAll(async () => {
    await site.report.write();
    await site.remove();
    for (const what of ["module", "start"])
      await site.host.sh(`docker rmi -f ${image(what)} 2>/dev/null || :`);
  });
});

/** Requests fail only because nobody listens, all within so many seconds; and what was confirmed is there. */
function expectOnlyAGap({ failures, lostWrites, sent }: LoadReport, seconds: number): void {
  expect(lostWrites).toEqual([]);
  expect(failures.length).toBeLessThan(sent);
  const others = failures.filter(({ why }) => !/ECONNREFUSED|ECONNRESET|socket hang up/.test(why));
  expect(others).toEqual([]);
  const times = failures.map(({ at }) => at);
  if (times.length > 0) expect(Math.max(...times) - Math.min(...times)).toBeLessThan(seconds);
}
