import { plainSchedule } from "../config/schedule";
import type { Config } from "../config/schema";
import type { ContainerSpec } from "./container";

/** What the host's cron is to run, as the runner writes it down: name, zone or -, overlap, five fields. */
export interface Scheduled {
  readonly name: string;
  /** "-": the host's own time. */
  readonly zone: string;
  readonly overlap: string;
  /** As `plainSchedule` gives it. */
  readonly schedule: string;
}

export function scheduledJobs({ jobs }: Config): Scheduled[] {
  return Object.entries(jobs)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { schedule, zone = "-", overlap }]) => ({
      name,
      zone,
      overlap,
      schedule: plainSchedule(schedule),
    }));
}

/** As the plan and the host keep it. */
export function jobLine({ name, zone, overlap, schedule }: Scheduled): string {
  return `${name} ${zone} ${overlap} ${schedule}`;
}

/** A job's container: its service's, but for what it runs. Pulumi creates it; only the host's cron starts it. */
export function jobSpec(name: string, config: Config, of: ContainerSpec): ContainerSpec {
  const job = config.jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  return {
    ...of,
    service: name,
    role: "job",
    command: job.command,
    memory: job.memory ?? of.memory,
    aliases: [],
    ports: [],
    health: { kind: "none" },
    startTimeout: job.timeout,
  };
}
