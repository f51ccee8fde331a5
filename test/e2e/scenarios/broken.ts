import { expect } from "vitest";
import {
  expectFailure,
  expectMeasured,
  expectNoneFailed,
  expectSuccess,
  expectUntouched,
} from "../lib/expect";
import type { Outcome } from "../lib/pulumi";
import { rows } from "../lib/rows";
import type { Scenarios } from "../lib/scenarios";
import type { Site } from "../lib/site";

/** What is wrong with the backend, and the words that must tell it. */
const FAULTS = [
  {
    fault: "unhealthy",
    what: "is never healthy",
    cause: [/backend-[0-9a-f]{12} did not become healthy within 8 s: .*\/api\/health answers 503/],
    step: /FAILED: healthy backend-[0-9a-f]{12}/,
    log: /\| .*"message":"started".*"fault":"unhealthy"/,
  },
  {
    fault: "crash",
    what: "crashes at its start",
    cause: [/backend-[0-9a-f]{12} stopped by itself \(.*exit code 1\)/],
    step: /FAILED: healthy backend-[0-9a-f]{12}/,
    log: /\| .*CRM_FAULT=crash: refusing to start/,
  },
  {
    fault: "migrate",
    what: "fails its migration",
    cause: [/the migration failed \(exit code 1\)/],
    step: /FAILED: migrate backend-migrate-[0-9a-f]{12}/,
    log: /\| .*migration 9999-fault failed, nothing was applied: CRM_FAULT=migrate/,
  },
  {
    fault: "page",
    what: "answers health but fails the smoke test",
    cause: [/GET \/api\/contacts answers 500, wanted 200/, /CRM_FAULT=page/],
    step: /FAILED: smoke candidate/,
    log: /\| .*"message":"started".*"fault":"page"/,
  },
];

/** Scenario 4 a fault each, then 5, and the other part of 6. */
export function brokenReleases(scenarios: Scenarios): void {
  for (const { fault, what, cause, step, log } of rows(FAULTS, (one) => /crash|page/.test(one.fault))) {
    scenarios.add(`4 the new backend ${what}: the old version serves`, async (site) => {
      const before = await site.running();
      const outputs = await site.pulumi.outputs();
      await site.workspace.set("services.backend.env.CRM_FAULT", fault);
      await site.workspace.set("services.backend.startTimeout", 8);

      const [up, load] = await site.measuredUp(`broken: ${fault}`);
      expectFailure(up);
      for (const words of [...cause, step, log]) expect(up.text).toMatch(words);
      expectToldWhatServes(up, before);
      expectUntouched(before, await site.running());
      expectNoneFailed(load);
      expectMeasured(up, load);
      expect(await site.pulumi.outputs(), "the outputs go on telling what serves").toEqual(outputs);
      if (fault === "crash") await expectToStayBroken(site, cause);

      await expectRevert(site, `broken: ${fault}, reverted`);
    });
  }

  scenarios.add(
    "stop-first, and the new backend crashes: the old one is started again, requests wait",
    async (site) => {
      const before = await site.running();
      await site.workspace.set("services.backend.order", "stop-first");
      await site.workspace.set("services.backend.env.CRM_FAULT", "crash");

      const [up, load] = await site.measuredUp("broken stop-first: crash");
      expectFailure(up);
      expect(up.text).toMatch(/backend-[0-9a-f]{12} stopped by itself \(.*exit code 1\)/);
      expectToldWhatServes(up, before);
      const after = await site.running();
      expectUntouched(before, after, ["frontend", "database", "proxy"]);
      expect(after.backend?.id).toBe(before.backend?.id);
      expectNoneFailed(load);

      await expectRevert(site, "that reverted");
    },
  );

  scenarios.add("5 both services change and the second is broken: neither is replaced", async (site) => {
    const before = await site.running();
    await site.workspace.replace("examples/crm/backend/src/version.ts", '"1.0.0"', '"1.1.0"');
    await site.workspace.set("services.frontend.env.CRM_FAULT", "unhealthy");
    await site.workspace.set("services.frontend.startTimeout", 5);

    const [up, load] = await site.measuredUp("both changed, the second broken");
    expectFailure(up);
    expect(up.text).toMatch(/backend-[0-9a-f]{12} healthy \(/);
    expect(up.text).toMatch(
      /frontend-[0-9a-f]{12} did not become healthy within 5 s: .*\/health answers 503/,
    );
    expectToldWhatServes(up, before);
    expectUntouched(before, await site.running());
    expect(await site.crm.backendVersion()).toBe("1.0.0");
    expectNoneFailed(load);

    await expectRevert(site, "that reverted");
  });
}

/** A release that failed is not taken for done: the same again fails again. */
async function expectToStayBroken(site: Site, cause: readonly RegExp[]): Promise<void> {
  const before = await site.running();
  const again = await site.pulumi.up();
  expectFailure(again);
  for (const words of cause) expect(again.text).toMatch(words);
  expectUntouched(before, await site.running());
}

function expectToldWhatServes({ text }: Outcome, before: Awaited<ReturnType<Site["running"]>>): void {
  expect(text).toMatch(/release [0-9a-f]{12} serves, as before: /);
  for (const { key } of Object.values(before)) expect(text).toContain(key);
  expect(text).toContain("Nothing of the new release serves.");
  expect(text).toMatch(/run 'pulumi up' again, or revert the change/);
}

/** Scenario 6: what served all the time is not touched by going back to it, and nothing of the failed release stays. */
async function expectRevert(site: Site, what: string): Promise<void> {
  const before = await site.running();
  await site.workspace.restore();
  const [up, load] = await site.measuredUp(what);
  expectSuccess(up);
  expectUntouched(before, await site.running());
  expectNoneFailed(load);
  const left = (await site.host.containers(site.fullName)).filter(
    (one) => !one.running && one.role !== "migrate",
  );
  expect(left.map(({ key }) => key)).toEqual([]);
}
