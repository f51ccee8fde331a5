import type { Entry } from "../found/entry";
import type { Facts } from "../found/facts";
import { lostImages, runsAlone, servingEntry } from "../found/ledger";
import { hasImage, imageId } from "../found/present";
import type { Current, ReleaseRecord } from "../found/record";
import type { Plan } from "../release/plan";
import type { Finding } from "./finding";

/**
 * Proven before it is needed: whether the release that serves could come back after this one. Nothing to say where none
 * serves, or none of its containers is replaced.
 */
export function comeback(facts: Facts, plan: Plan): Finding {
  const { current } = facts;
  if (current === undefined || current.release === plan.release) return undefined;
  const name = current.number === 0 ? `release ${current.release}` : `release ${current.number}`;
  const problems = [...imageProblems(current, facts, plan), ...dataProblems(plan)];
  const words = `${name} could come back: its images are kept, and memory that it runs in now`;
  return problems.length === 0
    ? { good: true, words: [words, ...lostSecrets(current, plan)].join("; ") }
    : { good: false, words: `${name} could not come back after this: ${problems.join("; ")}` };
}

function imageProblems(current: Current, facts: Facts, plan: Plan): string[] {
  const entry = servingEntry(facts);
  return entry === undefined || entry.images.size === 0
    ? problemsByName(current, facts, plan)
    : problemsById(entry, current, facts, plan);
}

/**
 * By the IDs of what it ran, as `rollbackTo` asks. What just stays runs the same afterwards, whatever its name means by
 * now; what is made anew runs what the name means, also if the name is the same.
 */
function problemsById(entry: Entry, { record }: Current, facts: Facts, plan: Plan): string[] {
  return lostImages(entry, facts)
    .filter(({ reference }) => !runsAlone(entry, reference, plan.record))
    .map(({ reference, id, words }) => `${words}${cure(reference, id, record)}`);
}

/** Its container still holds it. One that was built has its tag from this program, which would build it again. */
function cure(reference: string, id: string, { containers }: ReleaseRecord): string {
  const built = Object.values(containers).some(
    ({ image, build }) => image === reference && build !== undefined,
  );
  return built
    ? ""
    : `, where docker tag ${id.replace(/^sha256:/, "").slice(0, 12)} ${reference} puts it back`;
}

/** A release that is not on record: only of what is replaced by something else, and nothing but names is known. */
function problemsByName({ record }: Current, facts: Facts, plan: Plan): string[] {
  const replaced = plan.changes.filter(({ kind }) => kind === "replace" || kind === "remove");
  return replaced.flatMap(({ service }) => {
    const image = record.containers[service]?.image;
    if (image === undefined || image === plan.record.containers[service]?.image) return [];
    // One that is named by its digest can be had again and is the same.
    if (image.includes("@")) return [];
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

/** Values are kept nowhere but in the config. To take one out is no danger: its commit can be reverted. */
function lostSecrets({ record }: Current, plan: Plan): string[] {
  const wanted = new Set(secretsOf(plan.record));
  const lost = secretsOf(record).filter((path) => !wanted.has(path));
  return lost.length === 0 ? [] : [`for that put ${lost.join(", ")} back into the config`];
}

/** As the config names them; a record has of each its digest. */
function secretsOf({ containers }: ReleaseRecord): string[] {
  return Object.entries(containers).flatMap(([service, { parts }]) =>
    Object.keys(parts).flatMap((path) => {
      const name = /^env\.(\w+)\.secret$/.exec(path)?.[1];
      return name === undefined ? [] : [`services.${service}.secrets.${name}`];
    }),
  );
}
