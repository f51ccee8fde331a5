import type { Site } from "../lib/site";
import type { Exchange } from "./exchange";
import type { Hold } from "./hold";
import type { Results } from "./results";

/** What every test of faults works with. */
export interface Stage {
  readonly site: Site;
  readonly hold: Hold;
  readonly exchange: Exchange;
  readonly results: Results;
}

/** What a failed test left must not fail the next one. */
export async function settle({ site, hold }: Stage): Promise<void> {
  await hold.release();
  await site.pulumi.cancel().catch(() => undefined); // refuses when nothing is locked
  await site.pulumi.up();
}
