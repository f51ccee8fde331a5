import { expect } from "vitest";
import { expectFailure, expectSuccess } from "../lib/expect";
import type { Scenarios } from "../lib/scenarios";

/** A machine that is not the one which was deployed to, behind the same address and with the same key. */
export function anotherMachine(scenarios: Scenarios): void {
  scenarios.add(
    "another machine behind the same name: refused, left alone; the same server after all: as it says",
    async (site) => {
      const before = await site.host.containers(site.fullName);
      await site.host.sh(
        "cp /etc/machine-id /etc/machine-id.kept; tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id",
      );
      const refused = await site.pulumi.preview();
      for (const outcome of [refused, await site.pulumi.up()]) {
        expectFailure(outcome);
        expect(outcome.text).toMatch(/to another machine \([0-9a-f]{12}\) than the one that answers now/);
        expect(outcome.text).toContain("Nothing was changed.");
        expect(outcome.changes).toEqual([]);
      }
      const cure = /^ +ssh ssh:\/\/\S+ "(sed -i .*)"$/m.exec(refused.text)?.[1] ?? "exit 9";
      await site.host.sh(cure);
      const accepted = await site.pulumi.up();
      expectSuccess(accepted);
      expect(accepted.changes).toEqual([]);
      expect(await site.host.containers(site.fullName)).toEqual(before);
      // As it was: the claim remembers this name.
      await site.host.sh("mv /etc/machine-id.kept /etc/machine-id");
      expectSuccess(await site.pulumi.preview());
    },
  );
}
