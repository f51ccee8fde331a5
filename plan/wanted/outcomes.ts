/** How a run of a job ended, in the words of the host's files (host/jobs.sh); in all but the first two it failed. */
export const OUTCOMES = ["done", "skipped", "failed", "timeout", "memory", "room", "start", "cut"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function isFailure(outcome: Outcome): boolean {
  return outcome !== "done" && outcome !== "skipped";
}
