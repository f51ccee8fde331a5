import type { Finding } from "./checklist";
import { type Facts, hasImage, imageId } from "./facts";
import type { Plan } from "./release";

/**
 * Proven before it is needed: whether the release that serves could come back after this one. Nothing to say where none
 * serves, or none of its containers is replaced.
 */
export function comeback(facts: Facts, plan: Plan): Finding {
  const { current } = facts;
  if (current === undefined || current.release === plan.release) return undefined;
  const name = current.number === 0 ? `release ${current.release}` : `release ${current.number}`;
  const problems = [...imageProblems(facts, plan), ...dataProblems(plan)];
  return problems.length === 0
    ? { good: true, words: `${name} could come back: its images are kept, and memory that it runs in now` }
    : { good: false, words: `${name} could not come back after this: ${problems.join("; ")}` };
}

/** Only of what is replaced by something else: what is only put right is the same afterwards. */
function imageProblems(facts: Facts, plan: Plan): string[] {
  const replaced = plan.changes.filter(({ kind }) => kind === "replace" || kind === "remove");
  return replaced.flatMap(({ service }) => {
    const image = facts.current?.record.containers[service]?.image;
    if (image === undefined || image === plan.record.containers[service]?.image) return [];
    // One that is named by its digest can be had again and is the same.
    if (image.includes("@")) return [];
    // Nothing is known of an image that was made elsewhere but its name.
    const found =
      facts.seen.has(`image:${image}`) || imageId(facts, image) === undefined
        ? hasImage(facts, image)
        : "intact";
    if (found === "absent") return [`its image ${image} is gone from the host`];
    return found === "other" ? [`its image ${image} was changed by hand`] : [];
  });
}

function dataProblems({ migrations }: Plan): string[] {
  return Object.entries(migrations)
    .filter(([, kind]) => kind === "offline")
    .map(([key]) => `${key} is an offline migration, after which older code does not work with the data`);
}
