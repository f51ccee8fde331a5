import type { Config } from "./config/schema";
import { relaxations } from "./container";
import type { Facts } from "./facts";
import { differences } from "./identity";
import type { Change, Plan } from "./release";

/** The plan in words, for the person who reads a preview: what happens to each container, and what it costs. */
export function explain(plan: Plan, config: Config, facts: Facts): string {
  const before = facts.current?.release;
  const title =
    before === undefined
      ? `release ${plan.release}: the first one`
      : before === plan.release
        ? `release ${plan.release}: serves already`
        : `release ${plan.release} replaces ${before}`;
  const width = Math.max(...plan.changes.map(({ service }) => service.length));
  const lines = plan.changes.map(
    (change) => `  ${change.service.padEnd(width)}  ${describe(change, plan, facts)}`,
  );
  return [title, ...lines, ...notes(plan, config, facts)].join("\n");
}

function describe(change: Change, plan: Plan, facts: Facts): string {
  const { service, kind, order, memory } = change;
  switch (kind) {
    case "same":
      return "unchanged";
    case "remove":
      return "removed";
    case "new":
      return `${cause(service, plan, facts)}; new, ${memory} MiB`;
    case "repair":
      return "does not run as it should: started again";
    case "replace":
      return `${cause(service, plan, facts)}; ${interruption(service, order, memory, change.headroom)}`;
  }
}

function cause(service: string, plan: Plan, facts: Facts): string {
  const after = plan.record.containers[service];
  const before = facts.current?.record.containers[service];
  if (after?.build !== undefined && after.build.hash !== before?.build?.hash)
    return `built: ${after.build.why}`;
  if (before === undefined || after === undefined) return "not built";
  const changed = differences(before.parts, after.parts).filter((part) => part !== "service");
  return `${shorten(changed)} changed`;
}

function shorten(parts: readonly string[]): string {
  const shown = parts.slice(0, 3).join(", ");
  return parts.length > 3 ? `${shown} and ${parts.length - 3} more` : shown || "its configuration";
}

function interruption(
  service: string,
  order: Change["order"],
  memory: number,
  left: number | undefined,
): string {
  if (service === "database") return "stops and starts: requests wait some seconds";
  if (service === "proxy") return "stops and starts: about a second without connections";
  if (order === "stop-first") {
    const why = left !== undefined && left < 0 ? ` (${-left} MiB too little to run both)` : "";
    return `stop first${why}: requests wait until the new one is healthy`;
  }
  const room = left === undefined ? "" : `, ${left} MiB to spare`;
  return `start first (${memory} MiB beside the old one${room}): no interruption`;
}

function notes(plan: Plan, config: Config, facts: Facts): string[] {
  const relaxed = Object.entries(config.services).flatMap(([name, service]) => {
    const found = relaxations(service);
    return found.length === 0 ? [] : [`  security relaxed: ${name} ${found.join(", ")}`];
  });
  const migrations = plan.steps
    .filter(({ verb }) => verb === "migrate")
    .map(({ arguments: [key] }) => String(key));
  return [
    ...relaxed,
    ...(migrations.length > 0
      ? [`  runs ${migrations.join(", ")} first: what it does to the data is not undone`]
      : []),
    ...(config.smoke.length === 0 ? ["  no smoke test is configured: only health gates this release"] : []),
    ...(facts.interrupted ? ["  an earlier release was interrupted: it is taken back or tidied first"] : []),
    ...(facts.active === undefined ? [] : [`  at work just now: ${facts.active}`]),
    ...(facts.memory === undefined
      ? []
      : [
          `  host: ${Math.floor(facts.memory.used / 1024)} of ${Math.floor(facts.memory.total / 1024)} MiB in use`,
        ]),
  ];
}
