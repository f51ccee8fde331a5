import type { Facts } from "../plan/facts";
import { type Entry, obstacles } from "../plan/ledger";

/**
 * MB on the host's disk that go when a release is not kept any more: of its images those that no other release which is
 * ready has, without the layers that they share with any image. Undefined: the host has not told.
 */
export function diskOf(entry: Entry, facts: Facts): number | undefined {
  const { ledger, ownLayers } = facts;
  if (ownLayers.size === 0) return undefined;
  const others = ledger.filter(
    (one) => one.release !== entry.release && one.result === "done" && obstacles(one, facts).length === 0,
  );
  const shared = new Set(others.flatMap(({ images }) => [...images.values()]));
  const own = [...new Set(entry.images.values())].filter((id) => !shared.has(id));
  return own.reduce((sum, id) => sum + (ownLayers.get(id) ?? 0), 0);
}
