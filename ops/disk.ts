import type { Entry } from "../plan/found/entry";
import type { Facts } from "../plan/found/facts";

/**
 * MB on the host's disk that go when a release is not kept any more: of its images those that no other release which is
 * ready has, without the layers that they share with any image. Undefined: the host has not told.
 *
 * @param ready all that can be gone back to
 */
export function diskOf(entry: Entry, ready: readonly Entry[], { ownLayers }: Facts): number | undefined {
  if (ownLayers.size === 0) return undefined;
  const others = ready.filter(({ release }) => release !== entry.release);
  const shared = new Set(others.flatMap(({ images }) => [...images.values()]));
  const own = [...new Set(entry.images.values())].filter((id) => !shared.has(id));
  return own.reduce((sum, id) => sum + (ownLayers.get(id) ?? 0), 0);
}
