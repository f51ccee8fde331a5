import type { Finding } from "./checklist";
import type { Config } from "./config/schema";
import { type Facts, hasImage, imageId } from "./facts";
import { budget, headroom } from "./memory";
import type { Plan } from "./release";

/**
 * Proven before it is needed: whether the release that serves could come back after this one. Nothing to say where none
 * serves, or none of its containers is replaced.
 */
export function comeback(config: Config, facts: Facts, plan: Plan): Finding {
  const { current } = facts;
  if (current === undefined || current.release === plan.release) return undefined;
  // Whoever goes back does not want it, and with `keep: 1` nobody can go back.
  if (config.rollbackTo !== undefined || config.keep === 1) return undefined;
  const name = current.number === 0 ? `release ${current.release}` : `release ${current.number}`;
  const problems = [
    ...imageProblems(facts, plan),
    ...memoryProblems(config, facts, plan),
    ...dataProblems(plan),
  ];
  return problems.length === 0
    ? { good: true, words: `${name} could come back: its images are kept and there is memory for it` }
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

/** More than the host can give is asked for only if this release does not ask for as much. */
function memoryProblems(config: Config, facts: Facts, plan: Plan): string[] {
  const available = budget(facts, config.host.memory);
  if (available === undefined) return [];
  const limits = (containers: Plan["record"]["containers"]) =>
    Object.values(containers).reduce((sum, { memory }) => sum + memory, 0);
  const before = limits(facts.current?.record.containers ?? {});
  const left = headroom(available, before);
  return left >= 0 || before <= limits(plan.record.containers)
    ? []
    : [`its limits are ${-left} MiB more than the host can give`];
}

function dataProblems({ migrations }: Plan): string[] {
  return Object.entries(migrations)
    .filter(([, kind]) => kind === "offline")
    .map(([key]) => `${key} is an offline migration, after which older code does not work with the data`);
}
