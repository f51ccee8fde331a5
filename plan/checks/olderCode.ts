import type { Config } from "../config/schema";
import type { Facts } from "../found/facts";
import { migratedSince } from "../found/ledger";
import type { Plan } from "../release/plan";
import type { Finding } from "./finding";

/**
 * A commit that was reverted brings older code back: whether it works with what later migrations have made of the data.
 * Asked of the services that use the database and get the image of an earlier release again; nothing to say of others.
 */
export function olderCode({ services }: Config, { current, ledger }: Facts, plan: Plan): Finding {
  const serving = Object.values(current?.record.containers ?? {}).map(({ image }) => image);
  const back = Object.entries(services).flatMap(([service, { needs }]) => {
    const image = plan.record.containers[service]?.image;
    if (!needs.includes("database") || image === undefined || serving.includes(image)) return [];
    // The newest comes first.
    const entry = ledger.find((one) => one.result === "done" && one.images.has(image));
    return entry === undefined ? [] : [{ service, entry }];
  });
  if (back.length === 0) return undefined;
  const named = back.map(({ service, entry }) => `${service} gets the code of release ${entry.number} again`);
  // Whatever data it had then: it gets that of today.
  const reasons = new Set(
    back.flatMap(({ entry }) => migratedSince({ ...entry, database: plan.record.database }, ledger)),
  );
  return reasons.size === 0
    ? { good: true, words: `${named.join(", ")}, which works with the data as it is` }
    : {
        good: false,
        words: `${named.join(", ")}: ${[...reasons].join("; ")}. Go on from newer code, or restore the dump from before that first`,
      };
}
