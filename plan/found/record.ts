import { z } from "zod";

const containerRecord = z.object({
  key: z.string(),
  /** Of a job: whose image it has. */
  service: z.string().optional(),
  image: z.string(),
  memory: z.number(),
  /** The volumes it has; a release of an older program did not tell. */
  volumes: z.array(z.string()).optional(),
  /** The ports of the host that it has itself, by wanted/container.ts's names. */
  ports: z.array(z.string()).optional(),
  /** How often each of them had to be made anew. */
  made: z.record(z.string(), z.number()).optional(),
  parts: z.record(z.string(), z.string()),
  build: z
    .object({
      hash: z.string(),
      why: z.string(),
      parts: z.record(z.string(), z.string()),
      files: z.record(z.string(), z.string()),
      /** Where it was built; records of the first program do not say so, and built on the host. */
      place: z.enum(["host", "local", "kept"]).default("host"),
      /** Whether docker's own client built it, and not docker's provider. */
      client: z.boolean().optional(),
    })
    .optional(),
});

/** Kept on the host with a release; never holds a value of the environment, only digests. */
export const releaseRecord = z.object({
  site: z.string(),
  containers: z.record(z.string(), containerRecord),
  /** What cron runs, and who tells of it: by their names, apart from what serves. */
  jobs: z.record(z.string(), containerRecord).optional(),
  messenger: containerRecord.optional(),
  /** The names that the proxy carries for services. */
  names: z.array(z.string()).optional(),
  /** Which major version wrote the data, where it is, and how often that volume had to be made anew. */
  database: z.object({ version: z.number(), volume: z.string(), made: z.number().default(0) }).optional(),
});
export type ReleaseRecord = z.infer<typeof releaseRecord>;
export type ContainerRecord = z.infer<typeof containerRecord>;
export type RecordedBuild = NonNullable<ContainerRecord["build"]>;

/** Every container that it made of services and for them, by name: those that serve, and those of jobs. */
export function recordedContainers({ containers, jobs = {} }: ReleaseRecord): [string, ContainerRecord][] {
  return [...Object.entries(containers), ...Object.entries(jobs)];
}

/** What a release ran of a service's image: the service, or, where that ran no container, one of its jobs. */
export function builtBefore(
  service: string,
  { containers, jobs = {} }: Pick<ReleaseRecord, "containers" | "jobs">,
): ContainerRecord | undefined {
  return containers[service] ?? Object.values(jobs).find((one) => one.service === service);
}

/** What serves, as the last release recorded it. */
export interface Current {
  readonly release: string;
  /** In the ledger; 0: a release of an older program. */
  readonly number: number;
  readonly epoch: number;
  readonly objects: readonly { key: string; service: string; role: string; id: string; health: string }[];
  /** What its cron runs, a line each as the runner has it. */
  readonly jobs: readonly string[];
  readonly record: ReleaseRecord;
}
