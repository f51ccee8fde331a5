import { z } from "zod";
import { between, isTimeZone, hostPath, line } from "./values";

/**
 * The checklist before a deploy: what each check wants, and what happens when it is not so.
 * `warn` tells, `stop` ends before anything is changed, `off` does not look.
 */
const LEVELS = ["off", "warn", "stop"] as const;
export type Level = (typeof LEVELS)[number];

const level = z.enum(LEVELS, "must be off, warn or stop");

function check<Shape extends z.ZodRawShape>(usual: Level, shape: Shape) {
  return z.strictObject({ level: level.default(usual), ...shape });
}

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "22:00"');
/** An end may also be that of the day. */
const endTime = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of day such as "07:00", or "24:00"');
/** In their order: hours over midnight belong to the day before. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export const checks = z.strictObject({
  /** Everything that is deployed is committed. */
  tree: check("warn", {}).prefault({}),
  /** The commit is on a remote, so that others can go on from it. */
  pushed: check("warn", {}).prefault({}),
  /** The tests are green for this commit. */
  tests: check("stop", {
    /** For sh, in the project's folder; without it there is nothing to check. */
    command: line.optional(),
    /** Minutes that they may take. */
    minutes: between(1, 120, "minutes").default(15),
  }).prefault({}),
  /** What a service `requires` is set, and nothing in its environment is a placeholder. */
  environment: check("stop", {}).prefault({}),
  /** No deploy at these hours. */
  quietHours: check("warn", {
    from: time.optional(),
    to: endTime.optional(),
    zone: z.string().refine(isTimeZone, "must be a time zone such as Europe/Moscow").default("UTC"),
    days: z.array(z.enum(DAYS, `must be one of ${DAYS.join(", ")}`)).default([...DAYS]),
  })
    .refine(({ from, to }) => (from === undefined) === (to === undefined), "needs both from and to")
    .refine(
      ({ from, to }) => from === undefined || from !== to,
      'from and to are the same, which is no time at all: for the whole day take from "00:00" to "24:00"',
    )
    .prefault({}),
  memory: check("warn", { free: between(0, 1_048_576, "MiB").default(32) }).prefault({}),
  disk: check("stop", { free: between(0, 104_857_600, "MiB").default(512) }).prefault({}),
  /** How far the host's clock may be from the deployer's. */
  clock: check("warn", { seconds: between(2, 86_400, "seconds").default(30) }).prefault({}),
  certificate: check("warn", { days: between(1, 365, "days").default(14) }).prefault({}),
  /** The database that serves answers. */
  database: check("warn", {}).prefault({}),
  /** The newest dump is not older than this. */
  backup: check("warn", {
    hours: between(1, 8760, "hours").optional(),
    /** A folder on the host; else that of the dumps before an exchange of the database. */
    folder: hostPath.optional(),
  }).prefault({}),
  /** What serves now could come back after this release: its images, memory for it, and its data. */
  comeback: check("stop", {}).prefault({}),
  /** Code of an earlier release works with what migrations have made of the data since. */
  olderCode: check("stop", {}).prefault({}),
});

export type Checks = z.infer<typeof checks>;
