import type { Facts, FoundContainer, ImageConfig } from "./facts";

/**
 * How often a thing has had to be made anew: one more than at the last release if that one is gone. A resource with
 * this as its replacementTrigger is made again exactly when it is missing.
 */
export function generation(facts: Facts, key: string): number {
  const last = facts.seen.get(key);
  // A volume bears the number itself: that its data is new must not be forgotten with a run that was killed.
  const volume = facts.volumes.find(({ name }) => key === `volume:${name}`);
  if (volume !== undefined) return Math.max(volume.made, last?.generation ?? 0);
  if (last === undefined) return servedFrom(facts, key) ? 1 : 0;
  return isPresent(facts, key, last.id) ? last.generation : last.generation + 1;
}

/** Of a volume: a release of an older program did not count how often it was made. */
function servedFrom({ current }: Facts, key: string): boolean {
  return Object.values(current?.record.containers ?? {}).some(({ volumes = [] }) =>
    volumes.some((name) => key === `volume:${name}`),
  );
}

function isPresent(facts: Facts, key: string, wanted: string): boolean {
  if (key.startsWith("image:")) return hasImage(facts, key.slice("image:".length)) === "intact";
  if (key.startsWith("network:")) return facts.networks.some(({ id }) => id === wanted);
  return facts.containers.some((one) => one.id === wanted && isThere(one));
}

/** A job at its work: a release leaves it alone, also when it is not of what serves any more. */
export function isAtWork({ role, state }: FoundContainer): boolean {
  return role === "job" && state === "running";
}

/** Whether it can be started at all: a dead one is only a name. */
export function isThere({ state }: FoundContainer): boolean {
  return state !== "dead" && state !== "removing";
}

/**
 * What the host has under a tag: the very image that a release used (intact), another one, none, or one that no
 * release has used (unknown: a killed run, or somebody's own).
 */
export function hasImage(facts: Facts, tag: string): "intact" | "other" | "absent" | "unknown" {
  const used = facts.seen.get(`image:${tag}`)?.id;
  const found = imageId(facts, tag);
  if (found === undefined) return "absent";
  if (used === undefined) return "unknown";
  // The first program remembered the tag in place of the ID.
  return used === found || used === tag ? "intact" : "other";
}

/** The ID of what the host has under an image's name. `docker images` leaves out of names what the client adds itself. */
export function imageId({ images }: Facts, reference: string): string | undefined {
  const [, path] = /^(?:index\.)?docker\.io\/(.+)$/.exec(reference) ?? [];
  return images.get((path ?? reference).replace(/^library\/(?=[^/]+$)/, ""));
}

/** What an image says of itself; undefined: the host does not have it. */
export function imageConfig(facts: Facts, reference: string): ImageConfig | undefined {
  // Another one under its name is made anew.
  const id = hasImage(facts, reference) === "other" ? undefined : imageId(facts, reference);
  return id === undefined ? undefined : facts.imageConfigs.get(id);
}
