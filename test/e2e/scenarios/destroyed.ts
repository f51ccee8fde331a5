import { expect } from "vitest";
import { expectSuccess } from "../lib/expect";
import { expectContact, type Scenarios } from "../lib/scenarios";

/** Scenario 8. */
export function destroyAndBack(scenarios: Scenarios): void {
  scenarios.add(
    "8 destroy leaves only the data, says where it is, and up brings the site back with it",
    async (site) => {
      const volume = `${site.fullName.replace("/", "-")}-database`;
      const destroyed = await site.pulumi.destroy();
      expectSuccess(destroyed);
      site.report.add("destroy", destroyed.seconds);
      expect(await site.host.containers(site.fullName)).toEqual([]);
      expect(await site.host.networks(site.fullName)).toEqual([]);
      expect(await site.host.images(site.fullName)).toEqual([]);
      expect(await site.host.volumes(site.fullName)).toEqual([volume]);
      expect(destroyed.text).toMatch(new RegExp(`kept: the data volume ${volume}`));

      const up = await site.pulumi.up();
      expectSuccess(up);
      site.report.add("up again after destroy", up.seconds);
      await expectContact(site);
      const again = await site.pulumi.up();
      expectSuccess(again);
      expect(again.changes).toEqual([]);
    },
  );
}
