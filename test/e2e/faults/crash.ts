import { expectContact } from "../lib/scenarios";
import { awaitSite } from "./cell";
import { expectUnchanged } from "./deployers";
import type { Stage } from "./stage";

/** The engine is killed while nobody deploys: all comes back without a deploy, and the next one has nothing to do. */
export async function engineCrashes({ site }: Stage): Promise<void> {
  await site.host.sh("kill -9 $(pidof dockerd)");
  await awaitSite(site, performance.now(), 60);
  await expectContact(site);
  await expectUnchanged(site);
}
