import { expect } from "vitest";
import type { Seen } from "./host";
import { type LoadReport, RATE } from "./load";
import type { Outcome } from "./pulumi";

export function expectSuccess(outcome: Outcome): void {
  expect(outcome.code, outcome.text).toBe(0);
}

/** Not a crash of Pulumi or of the program: the run told the user. */
export function expectFailure(outcome: Outcome): void {
  expect(outcome.code, outcome.text).toBeGreaterThan(0);
  expect(outcome.text, "no stack trace for a person").not.toMatch(/^\s+at .+[:(]\d+:\d+\)?$/m);
}

/** Every request was answered, and there were as many as there should have been. */
export function expectNoneFailed(load: LoadReport): void {
  expect(load.failures.slice(0, 10), `${load.failures.length} of ${load.sent} requests failed`).toEqual([]);
  expect(load.lostWrites, "writes that were confirmed and are not there").toEqual([]);
  expect(load.writes).toBeGreaterThan(0);
  expect(load.sent).toBeGreaterThan(load.seconds * RATE * 0.9 - RATE);
}

/**
 * What the release says that its visitors met is what they say themselves: of their requests those during it, and none failed.
 *
 * @returns how many were held, and the longest time without an answer to the release's own requests, in seconds
 */
export function expectMeasured({ text }: Outcome, { sent }: LoadReport): { held: number; gap: number } {
  const [, visitors, failed, held, gap] =
    /visitors: (\d+) requests, (\d+) failed, (\d+) waited.*; longest gap ([\d.]+) s/.exec(text) ?? [];
  expect(Number(failed), text).toBe(0);
  expect(Number(visitors)).toBeGreaterThan(RATE);
  expect(Number(visitors)).toBeLessThanOrEqual(sent);
  return { held: Number(held), gap: Number(gap) };
}

/** The very same process of each of these services: the same container, never restarted. */
export function expectUntouched(
  before: Record<string, Seen>,
  after: Record<string, Seen>,
  services: readonly string[] = Object.keys(before),
): void {
  const processes = (seen: Record<string, Seen>) =>
    Object.fromEntries(services.map((service) => [service, [seen[service]?.id, seen[service]?.startedAt]]));
  expect(processes(after)).toEqual(processes(before));
}
