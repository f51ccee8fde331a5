import { expect } from "vitest";
import { expectMeasured, expectNoneFailed, expectSuccess, expectUntouched } from "../lib/expect";
import type { Scenarios } from "../lib/scenarios";
import type { Site } from "../lib/site";

const FRONTEND_VERSION = "examples/crm/frontend/src/version.ts";

const newFrontend = (site: Site, version: string) =>
  site.workspace.replace(FRONTEND_VERSION, '"1.0.0"', `"${version}"`);

/** Scenario 3, what a preview says of it, and a part of scenario 6: it is reverted. */
export function oneFileOfTheFrontend(scenarios: Scenarios): void {
  scenarios.add(
    "a preview of a change says what will be built and replaced, and why, and changes nothing",
    async (site) => {
      const before = await site.host.containers(site.fullName);
      const images = await site.host.images(site.fullName);
      await newFrontend(site, "1.0.1");
      const preview = await site.pulumi.preview();
      expectSuccess(preview);
      expect(preview.text).toMatch(/release [0-9a-f]{12} replaces [0-9a-f]{12}/);
      expect(preview.text).toMatch(
        /frontend +built: src\/version\.ts changed; start first \(.*\): no interruption/,
      );
      expect(preview.text).toMatch(/backend +unchanged/);
      expect(preview.text).toMatch(/database +unchanged/);
      expect(preview.changes).toContainEqual(expect.stringMatching(/^create Image frontend-[0-9a-f]{12}$/));
      expect(preview.changes).toContainEqual(
        expect.stringMatching(/^create Container frontend-[0-9a-f]{12}$/),
      );
      expect(preview.changes.filter((change) => /backend|database|proxy/.test(change))).toEqual([]);
      await site.workspace.restore();
      expect(await site.host.containers(site.fullName)).toEqual(before);
      expect(await site.host.images(site.fullName)).toEqual(images);
    },
  );

  scenarios.add(
    "3 one file of the frontend changes: only the frontend is built and replaced",
    async (site) => {
      const before = await site.running();
      const images = await site.host.images(site.fullName);
      await newFrontend(site, "1.0.1");

      const [up, load] = await site.measuredUp("one file of the frontend changed");
      expectSuccess(up);
      const after = await site.running();
      expectUntouched(before, after, ["backend", "database", "proxy"]);
      expect(after.frontend?.id).not.toBe(before.frontend?.id);
      const made = (await site.host.images(site.fullName)).filter((image) => !images.includes(image));
      expect(made).toEqual([after.frontend?.image]);
      const containers = up.changes.filter((change) =>
        /^(create|replace|create-replacement) (Image|Container) /.test(change),
      );
      expect(containers).toEqual([
        `create Container ${after.frontend?.key ?? ""}`,
        expect.stringMatching(/^create Image frontend-/),
      ]);
      expect(await site.crm.frontendVersion()).toBe("1.0.1");
      expect(await site.crm.page()).toContain('content="1.0.1"');
      expectNoneFailed(load);
      expect(expectMeasured(up, load).held).toBe(0);
    },
  );

  scenarios.add(
    "6 the change is reverted: the image that is still there serves again, and nothing else is restarted",
    async (site) => {
      const before = await site.running();
      const images = await site.host.imageIds(site.fullName);
      await site.workspace.restore();

      const [up, load] = await site.measuredUp("that change reverted");
      expectSuccess(up);
      const after = await site.running();
      expectUntouched(before, after, ["backend", "database", "proxy"]);
      expect(await site.crm.frontendVersion()).toBe("1.0.0");
      expect(await site.host.imageIds(site.fullName)).toEqual(images);
      expectNoneFailed(load);
    },
  );

  scenarios.add("stop-first: requests wait while the backend is exchanged, and none fails", async (site) => {
    const before = await site.running();
    await site.workspace.set("services.backend.order", "stop-first");
    await site.workspace.set("services.backend.env.NOTE", "another");

    const [up, load] = await site.measuredUp("backend exchanged stop-first");
    expectSuccess(up);
    const after = await site.running();
    expectUntouched(before, after, ["frontend", "database", "proxy"]);
    expect(after.backend?.id).not.toBe(before.backend?.id);
    expectNoneFailed(load);
    expect(expectMeasured(up, load).held).toBeGreaterThan(0);

    await site.workspace.restore();
    // The next of that kind is told by it.
    expect((await site.pulumi.preview()).text).toMatch(/takes about \d+ s on the host, 0 failed requests, /);
    const [back, backLoad] = await site.measuredUp("that reverted, start-first");
    expectSuccess(back);
    expectUntouched(after, await site.running(), ["frontend", "database", "proxy"]);
    expectNoneFailed(backLoad);
  });
}
