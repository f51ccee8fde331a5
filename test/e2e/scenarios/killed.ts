import { expect } from "vitest";
import { expectNoneFailed, expectSuccess } from "../lib/expect";
import type { Running } from "../lib/pulumi";
import { rows } from "../lib/rows";
import type { Scenarios } from "../lib/scenarios";
import type { Site } from "../lib/site";

/** When the kill comes, and what is killed besides `pulumi`. */
const MOMENTS: {
  when: string;
  moment: (site: Site, run: Running) => Promise<void>;
  /** The runner on the host is killed as well, in the middle of its work. */
  runnerDies?: true;
}[] = [
  { when: "while the new backend is awaited", moment: awaited },
  {
    when: "right after its containers were created",
    moment: (_, run) => run.says(/ backend-[0-9a-f]{12} created/),
  },
  {
    when: "while the new backend is awaited, together with the runner on the host",
    moment: awaited,
    runnerDies: true,
  },
];

/** Scenario 7. */
export function killedReleases(scenarios: Scenarios): void {
  for (const { when, moment, runnerDies } of rows(
    MOMENTS,
    (one) => one.runnerDies ?? one.moment !== awaited,
  )) {
    scenarios.add(
      `7 pulumi is killed ${when}, and the change reverted: the site serves, up converges`,
      async (site) => {
        await site.workspace.set("services.backend.env.CRM_FAULT", "slow=5");
        const [converged, load] = await site.underLoad(async () => {
          const run = site.pulumi.startUp();
          await moment(site, run);
          run.kill();
          expect((await run.end).code).toBe(null);
          if (runnerDies === true) await killRunner(site);
          await site.workspace.restore();
          await site.pulumi.cancel();
          return site.pulumi.up();
        });
        site.report.add(`up after a kill ${when}`, converged.seconds, load);
        expectSuccess(converged);
        expectNoneFailed(load);
        const serving = await site.running();
        expect(Object.keys(serving).sort()).toEqual(["backend", "database", "frontend", "proxy"]);

        const third = await site.pulumi.up();
        expectSuccess(third);
        expect(third.changes).toEqual([]);
        expect(await site.running()).toEqual(serving);
        expect(
          (await site.host.containers(site.fullName)).filter((one) => !one.running && one.role !== "migrate"),
        ).toEqual([]);
      },
    );
  }
}

async function awaited(site: Site): Promise<void> {
  await site.host.awaitLine(`${site.stateFolder}/journal`, "^begin [0-9]+ healthy backend-", 60);
}

/** The newest run's runner, by the id that it wrote itself. */
async function killRunner(site: Site): Promise<void> {
  await site.host.sh(`cd ${site.stateFolder}/runs && kill -9 "$(cat "$(ls -1t | head -n 1)/pid")"`);
  await site.host.awaitLine(`${site.stateFolder}/journal`, "^begin ", 1);
}
