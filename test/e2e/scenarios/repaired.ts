import { expect } from "vitest";
import { expectNoneFailed, expectSuccess, expectUntouched } from "../lib/expect";
import { rows } from "../lib/rows";
import type { Scenarios } from "../lib/scenarios";

/** What somebody did by hand on the host is put right by `up`, and only that. */
export function repairs(scenarios: Scenarios): void {
  const harm = [
    ["stopped", "docker stop"],
    ["removed", "docker rm -f"],
  ] as const;
  for (const [what, command] of rows(harm, ([one]) => one === "removed")) {
    scenarios.add(
      `a backend ${what} by hand serves again after up, and nothing else is touched`,
      async (site) => {
        const before = await site.running();
        await site.host.sh(`${command} ${before.backend?.id ?? ""}`);
        const repair = await site.pulumi.up();
        expectSuccess(repair);
        site.report.add(`repair: backend ${what} by hand`, repair.seconds);
        const after = await site.running();
        expect(after.backend?.key).toBe(before.backend?.key);
        expectUntouched(before, after, ["frontend", "database", "proxy"]);

        const [again, load] = await site.underLoad(() => site.pulumi.up());
        expectSuccess(again);
        expect(again.changes).toEqual([]);
        expectUntouched(after, await site.running());
        expectNoneFailed(load);
      },
    );
  }
}
