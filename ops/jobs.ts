import { nextRun } from "../plan/config/schedule";
import { isFailure, type Outcome, OUTCOMES } from "../plan/wanted/outcomes";
import { outcomeInWords } from "../plan/words/job";
import { colors } from "./colors";
import { OpsError } from "./errors";
import { table } from "./table";

/** What the host says of its jobs (host/jobs.sh), as data and as tables. */

export interface Job {
  readonly name: string;
  /** As cron has it. */
  readonly schedule: string;
  /** Undefined: the host's own. */
  readonly zone: string | undefined;
  /** ISO 8601. */
  readonly next: string;
  /** Since when the one that runs just now does; ISO 8601. */
  readonly running: string | undefined;
  /** The newest last. */
  readonly runs: readonly Run[];
  /** Whether the last run that was not skipped failed. */
  readonly failed: boolean;
}

interface Run {
  /** ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  readonly outcome: Outcome;
  readonly code: number;
}

/** @throws OpsError when the answer is not whole */
export function readJobs(answer: string): { jobs: Job[]; output: string | undefined } {
  const lines = answer
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "));
  const all = (word: string) => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  if (lines.at(-1)?.[0] !== "end") throw new OpsError("the host's answer broke off: run this again");
  const offset = (all("zone")[0]?.[0] ?? "+0000").replace(/^([+-]\d\d)(\d\d)$/, "UTC$1:$2");
  const now = new Date(Number(all("now")[0]?.[0]) * 1000);
  const output = all("output")[0]?.[0];
  const jobs = all("job").map(([name = "", zone = "-", , ...fields]): Job => {
    const schedule = fields.join(" ");
    const runs = all("run").flatMap(([of, began, seconds, outcome, code]): Run[] =>
      of === name && isOutcome(outcome)
        ? [{ began: time(began), seconds: Number(seconds), outcome, code: Number(code) }]
        : [],
    );
    const running = all("running").find(([of]) => of === name)?.[1];
    const last = runs.findLast(({ outcome }) => outcome !== "skipped");
    return {
      name,
      schedule,
      zone: zone === "-" ? undefined : zone,
      next: nextRun(schedule, zone === "-" ? offset : zone, now).toISOString(),
      running: running === undefined ? undefined : time(running),
      runs,
      failed: last !== undefined && isFailure(last.outcome),
    };
  });
  return { jobs, output: output === undefined ? undefined : Buffer.from(output, "base64").toString("utf8") };
}

export function renderJobs(jobs: readonly Job[]): string {
  if (jobs.length === 0) return "What serves has no jobs.";
  return table(
    ["job", "schedule", "zone", "last", "took", "result", "next"],
    jobs.map(({ name, schedule, zone, runs, running, next }) => {
      const last = runs.at(-1);
      const result = running === undefined ? last && inWords(last) : `at work since ${local(running)}`;
      return [
        name,
        schedule,
        zone ?? "the host's",
        last === undefined ? "never" : local(last.began),
        last === undefined ? "" : took(last),
        result ?? "",
        local(next),
      ];
    }),
  );
}

export function renderHistory(job: Job, output: string | undefined): string {
  const { runs, running, next, schedule, zone } = job;
  return [
    `${job.name}: ${schedule} (${zone ?? "the host's time"}), next ${local(next)}`,
    ...(running === undefined ? [] : [`at work since ${local(running)}`]),
    ...(runs.length === 0
      ? ["It has not run yet."]
      : [
          "",
          table(
            ["began", "took", "result"],
            runs.slice(-15).map((run) => [local(run.began), took(run), inWords(run)]),
          ),
        ]),
    ...(output === undefined || output === ""
      ? []
      : ["", "The last lines that it has written:", output.trimEnd()]),
  ].join("\n");
}

function inWords({ outcome, code }: Run): string {
  const text = outcomeInWords(outcome, String(code));
  return isFailure(outcome) ? colors.red(text) : text;
}

function took({ seconds }: Run): string {
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function isOutcome(word: string | undefined): word is Outcome {
  return (OUTCOMES as readonly (string | undefined)[]).includes(word);
}

function time(seconds: string | undefined): string {
  return new Date(Number(seconds) * 1000).toISOString();
}

/** In the time of who reads it. */
function local(iso: string): string {
  const date = new Date(iso);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
