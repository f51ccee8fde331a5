import type { Config } from "./schema";

/** Containers to wait for first come first. Config has no circle (check.ts). */
export function byNeeds(config: Config): string[] {
  const sorted: string[] = [];
  const visit = (name: string) => {
    if (sorted.includes(name)) return;
    for (const need of config.services[name]?.needs ?? []) if (need !== "database") visit(need);
    sorted.push(name);
  };
  Object.keys(config.services).sort().forEach(visit);
  return sorted;
}
