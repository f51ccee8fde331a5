import type { Entry } from "../found/entry";
import type { Facts } from "../found/facts";
import type { Plan } from "../release/plan";
import { median } from "./median";

/** How many earlier releases are looked at. */
const LAST = 5;

/**
 * What a release will cost, from what this stack's own releases of that kind did: medians of the last five that succeeded.
 *
 * @returns undefined: there was none, or none was measured
 */
export function expected({ kind }: Plan, { ledger }: Facts): string | undefined {
  const like = ledger.filter((entry) => entry.kind === kind && entry.result === "done" && entry.after > 0);
  const last = like.slice(0, LAST);
  const seconds = last.flatMap((entry) => entry.seconds ?? []);
  if (seconds.length === 0) return undefined;
  const met = last.flatMap((entry) => entry.met ?? []);
  const parts = [
    `${median(seconds).toFixed(0)} s on the host`,
    ...(met.length === 0 ? [] : [`${median(met.map(({ failed }) => failed))} failed requests`]),
    ...gaps(last),
  ];
  const many =
    last.length === 1 ? `the last ${kind} did` : `the last ${last.length} of this kind did (median)`;
  return `takes about ${parts.join(", ")}, as ${many}`;
}

function gaps(entries: readonly Entry[]): string[] {
  const found = entries.flatMap(({ met }) => met?.probed?.gap ?? []);
  return found.length === 0 ? [] : [`${median(found).toFixed(1)} s without an answer at most`];
}
