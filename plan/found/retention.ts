import type { Entry } from "./entry";
import { recordedContainers, type ReleaseRecord } from "./record";

/**
 * The releases whose images stay on the host: of different content, the newest first.
 *
 * @param serving its name; it counts, and always stays
 * @param keep how many
 */
export function releasesToKeep(ledger: readonly Entry[], serving: string, keep: number): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of ledger) {
    if (entry.result === "done" && !newest.has(entry.release)) newest.set(entry.release, entry);
  }
  const others = [...newest.values()].filter(({ release }) => release !== serving);
  const own = newest.get(serving);
  return [...(own === undefined ? [] : [own]), ...others.slice(0, keep - 1)];
}

/** The images that a plan needs or that stay for going back, by reference: only these of the stack's own stay. */
export function imagesToKeep(records: readonly ReleaseRecord[], kept: readonly Entry[]): string[] {
  const wanted = records.flatMap((record) => recordedContainers(record).map(([, { image }]) => image));
  return [...new Set([...wanted, ...kept.flatMap(({ images }) => [...images.keys()])])].sort();
}
