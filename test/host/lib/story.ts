import type { Prepared } from "./release";
import type { World } from "./world";

/**
 * The calls that changed something, in order, with names that a person can read: "old web" for a container that only
 * the release before wanted, "new web" for one that only this release wants, "web" for one that both want.
 */
export function story(world: World, before: Prepared | undefined, after: Prepared): string[] {
  return world.lines("calls").map((call) => name(call, before, after));
}

/** The same for any text in which keys stand. */
export function name(text: string, before: Prepared | undefined, after: Prepared): string {
  return text.replace(/\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{12}\b/g, (key, service: string) => {
    const wanted = after.keys.includes(key);
    const served = before?.keys.includes(key) ?? false;
    if (wanted && served) return service;
    return wanted ? `new ${service}` : served ? `old ${service}` : `stray ${service}`;
  });
}

/** The containers that run, by those names. */
export function running(world: World, before: Prepared | undefined, after: Prepared): string[] {
  const keys = world.containers().flatMap(({ key, state }) => (state === "running" ? [key] : []));
  return keys.map((key) => name(key, before, after)).sort();
}
