import { expect } from "vitest";
import { expectFailure, expectSuccess } from "../lib/expect";
import type { LoadReport } from "../lib/load";
import { expectContact } from "../lib/scenarios";
import type { Site } from "../lib/site";
import { settle, type Stage } from "./stage";

/** A new version that is broken by itself, whatever the machine does. */
export interface BrokenVersion {
  readonly name: string;
  configure(site: Site): Promise<void>;
  /** What the failed `up` must say, besides what serves. */
  readonly told: readonly RegExp[];
  /** Visitors have met it, healthy as it was: what it had in hand when it broke is lost, for some seconds at most. */
  readonly met?: true;
}

/** Twice about a second, on a busy machine. */
const INTERRUPTION_MS = 20_000;

const backend = (fault: string, observe: number) => async (site: Site) => {
  await site.workspace.set("services.backend.env.CRM_FAULT", fault);
  await site.workspace.set("services.backend.startTimeout", fault === "hang" ? 5 : 15);
  await site.workspace.set("observe", observe);
};

export const BROKEN_VERSIONS: readonly BrokenVersion[] = [
  {
    name: "killed for memory after it was healthy",
    met: true,
    configure: backend("oom", 20),
    told: [/backend-[0-9a-f]{12} was killed: it needs more memory than its limit/],
  },
  {
    name: "a crash loop after it was healthy",
    met: true,
    configure: backend("crash-later=3", 20),
    told: [/backend-[0-9a-f]{12} stopped by itself soon after it was healthy/, /\| .*CRM_FAULT=crash-later/],
  },
  {
    name: "a health check that never answers",
    configure: backend("hang", 1),
    told: [/backend-[0-9a-f]{12} did not become healthy within 5 s: .* does not answer/],
  },
  {
    name: "a migration that hangs",
    async configure({ workspace }) {
      await workspace.set("services.backend.migrate", ["node", "-e", "setInterval(() => {}, 1000)"]);
      await workspace.set("services.backend.migrateTimeout", 5);
    },
    told: [/the migration did not end within 5 s and was stopped/, /FAILED: migrate backend-migrate-/],
  },
  {
    name: "nginx without the module that its configuration loads",
    async configure({ host, workspace }) {
      const file =
        "FROM nginx:1.30-trixie\\nUSER 0\\nRUN find / -xdev -name ngx_http_js_module.so -delete\\n";
      await host.sh(`printf '${file}' | docker build -q -t nginx-without-njs:1 -`);
      await workspace.set("proxy.image", "nginx-without-njs:1");
    },
    told: [
      /FAILED: rehearse proxy-/,
      /proxy-[0-9a-f]{12} cannot serve this site: .*ngx_http_js_module\.so.*No such file/,
    ],
  },
  {
    name: "nginx without the certificate that its configuration names",
    async configure({ host, workspace }) {
      await host.sh("mkdir -p /etc/nginx-certificates");
      const tls = { folder: "/etc/nginx-certificates", certificate: "missing.pem", key: "missing-key.pem" };
      await workspace.set("tls", tls);
    },
    told: [
      /FAILED: rehearse proxy-/,
      /proxy-[0-9a-f]{12} cannot serve this site: .*missing\.pem.*No such file/,
      /certificate: the certificate cannot be read on the host \(tls\.folder, tls\.certificate\)/,
    ],
  },
];

/** It is taken back, what served serves, and going back to the config of before changes nothing that serves. */
export async function brokenVersion(stage: Stage, version: BrokenVersion): Promise<void> {
  const { site, results } = stage;
  const measured: { load?: LoadReport; hit?: string; converged?: number } = {};
  let result = "FAILED";
  try {
    const before = await site.running();
    await version.configure(site);
    const [[up, after, back], load] = await site.underLoad(async () => {
      const up = await site.pulumi.up();
      const after = await site.running();
      await site.workspace.restore();
      await stage.exchange.again();
      return [up, after, await site.pulumi.up()] as const;
    });
    measured.load = load;
    await results.said(version.name, "-", up.text);
    measured.hit = up.code === 0 ? "went through" : "failed";
    measured.converged = back.seconds;
    expectFailure(up);
    for (const words of version.told) expect(up.text).toMatch(words);
    expect(up.text).toMatch(/release [0-9a-f]{12} serves, as before: /);
    expect(up.text).toContain("run 'pulumi up' again, or revert the change");
    expectSameContainers(before, after);
    expectSuccess(back);
    expectSameContainers(before, await site.running());
    expect(load.lostWrites).toEqual([]);
    if (version.met) expect(load.longestGap).toBeLessThan(INTERRUPTION_MS);
    else
      expect(load.failures.slice(0, 10), `${load.failures.length} of ${load.sent} requests failed`).toEqual(
        [],
      );
    const again = await site.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
    await expectContact(site);
    result = "ok";
  } finally {
    await site.workspace.restore();
    await stage.exchange.again();
    if (result !== "ok") await settle(stage);
    await results.add({ fault: version.name, at: "-", ...measured, result });
  }
}

/** The same containers, though stop-first may have stopped and started one. */
function expectSameContainers(
  before: Awaited<ReturnType<Site["running"]>>,
  after: Awaited<ReturnType<Site["running"]>>,
): void {
  const keys = (seen: typeof before) => Object.values(seen).map(({ key, id }) => `${key} ${id}`);
  expect(keys(after).sort()).toEqual(keys(before).sort());
}
