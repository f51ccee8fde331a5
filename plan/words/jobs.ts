import type { Config } from "../config/schema";
import type { Facts } from "../found/facts";
import type { ContainerRecord } from "../found/record";
import type { Plan } from "../release/plan";
import { differences } from "../wanted/identity";
import { jobLine } from "../wanted/jobs";

/** What a release makes of the jobs: for a preview, and for who is told. */

/** The jobs that are new, gone, or of other settings; another image is told with its service. */
export function changedJobs({ jobs, record }: Plan, { current }: Facts): string[] {
  const lines = new Set(jobs.map(jobLine));
  const before = new Set(current?.jobs);
  const changed = [...lines, ...before].filter((line) => lines.has(line) !== before.has(line)).map(nameIn);
  const others = jobs.flatMap(({ name }) => {
    const [older, newer] = [current?.record.jobs?.[name], record.jobs?.[name]];
    return older !== undefined && newer !== undefined && settings(older, newer).length > 0 ? [name] : [];
  });
  return [...new Set([...changed, ...others])].sort();
}

export function explainJobs(plan: Plan, config: Config, facts: Facts): string[] {
  const { current, known } = facts;
  const changed = known ? changedJobs(plan, facts) : [];
  const told = Object.entries(config.jobs).map(([name, job]) => {
    const before = current?.record.jobs?.[name];
    const after = plan.record.jobs?.[name];
    const { service, schedule, zone = "the host's time" } = job;
    const state =
      before === undefined || after === undefined
        ? "new, "
        : changed.includes(name)
          ? `changed (${settings(before, after).join(", ") || "when it runs"}), `
          : before.key === after.key
            ? "unchanged, "
            : `the new version of ${service}, `;
    const limit = after === undefined ? "" : `, ${after.memory} MiB, ${job.timeout} s at most`;
    return `job ${name}: ${known ? state : ""}${schedule} (${zone}), in the image of ${service}${limit}`;
  });
  const gone = (current?.jobs ?? []).map(nameIn).filter((name) => config.jobs[name] === undefined);
  return [...told, ...gone.map((name) => `job ${name}: removed`)];
}

function nameIn(line: string): string {
  return line.split(" ", 1)[0] ?? "";
}

function settings(before: ContainerRecord, after: ContainerRecord): string[] {
  const words = differences(before.parts, after.parts).map((leaf) => leaf.split(".")[0] ?? "");
  const known = words.map((word) => (word === "startTimeout" ? "timeout" : word));
  return [...new Set(known)].filter((word) => !["image", "defaults"].includes(word));
}
