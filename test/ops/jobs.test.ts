import { describe, expect, it } from "vitest";
import { readJobs, renderHistory, renderJobs } from "../../ops/jobs";

const ANSWER = [
  "zone +0300",
  `now ${Date.parse("2026-11-28T10:00:00Z") / 1000}`,
  "job tidy - skip 30 3 * * *",
  "run tidy 1764000000 12 done 0",
  "run tidy 1764086400 300 failed 3",
  "run tidy 1764086500 0 skipped 0",
  "job pack Asia/Kathmandu wait 0 5 * * 1",
  "running pack 1764086400",
  `output ${Buffer.from("no room\n").toString("base64")}`,
  "end",
].join("\n");

describe("what the host says of its jobs", () => {
  it("is read: when next, by whose clock, and whether the last run failed", () => {
    const { jobs, output } = readJobs(ANSWER);
    expect(output).toBe("no room\n");
    expect(jobs).toMatchObject([
      { name: "tidy", zone: undefined, next: "2026-11-29T00:30:00.000Z", running: undefined, failed: true },
      { name: "pack", zone: "Asia/Kathmandu", next: "2026-11-29T23:15:00.000Z", runs: [], failed: false },
    ]);
    expect(jobs[0]?.runs.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["done", 0],
      ["failed", 3],
      ["skipped", 0],
    ]);
  });

  it("is shown", () => {
    const { jobs, output } = readJobs(ANSWER);
    expect(renderJobs(jobs)).toMatch(
      /^tidy +30 3 \* \* \* +the host's .* skipped: the last one was at work still/m,
    );
    expect(renderJobs(jobs)).toMatch(/^pack +0 5 \* \* 1 +Asia\/Kathmandu +never +at work since 20/m);
    const [tidy] = jobs;
    expect(tidy && renderHistory(tidy, output)).toMatch(/5 min +failed: exit code 3[^]*written:\nno room$/);
    expect(renderJobs([])).toBe("What serves has no jobs.");
  });

  it("that breaks off is not taken for all", () => {
    expect(() => readJobs(ANSWER.replace("\nend", ""))).toThrow("broke off");
  });
});
