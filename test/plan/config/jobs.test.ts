import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../plan/config/errors";
import { readValues } from "../../../plan/config/read";
import { nextRun, plainSchedule, scheduleProblem } from "../../../plan/config/schedule";

const web = { image: "web:1.0", memory: 64, port: 3000, route: "/", health: "/health" };
const tools = { image: "tools:1.0", memory: 64, replicas: 0 };
const tidy = { service: "web", command: ["tidy"], schedule: "30 3 * * *" };

function problems(values: Record<string, unknown>): readonly string[] {
  try {
    readValues({ host: { address: "local" }, domain: "localhost", ...values });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("a schedule", () => {
  it.each([
    ["30 3 * * *", "30 3 * * *"],
    ["*/15 8-18 * * MON-FRI", "0,15,30,45 8,9,10,11,12,13,14,15,16,17,18 * * 1,2,3,4,5"],
    ["0 0 1,15 jan,JUL 7", "0 0 1,15 1,7 0"],
    ["@weekly", "0 0 * * 0"],
    ["0-59 0-23 1-31 1-12 0-6", "* * * * *"],
  ])("%s is %s in numbers", (text, plain) => {
    expect(scheduleProblem(text)).toBeUndefined();
    expect(plainSchedule(text)).toBe(plain);
  });

  it.each([
    "61 * * * *",
    "* * * *",
    "0 * * * * *",
    "0 0 L * *",
    "0 0 * * 5L",
    "0 0 * * 1#2",
    "H * * * *",
    "0 0 ? * *",
    "@reboot",
    "0 0 30 2 *",
    "daily",
    "",
  ])("%j is refused", (text) => {
    expect(scheduleProblem(text)).toMatch(/^must be a time as cron writes it/);
  });

  it("comes next in its own zone", () => {
    const after = new Date("2026-11-28T10:00:00Z");
    expect(nextRun("30 3 * * *", "Europe/Moscow", after).toISOString()).toBe("2026-11-29T00:30:00.000Z");
    expect(nextRun("30 3 * * *", "UTC-05:00", after).toISOString()).toBe("2026-11-29T08:30:00.000Z");
  });
});

describe("jobs in a config", () => {
  it("are a service's, or of one that is there for them alone", () => {
    expect(problems({ services: { web }, jobs: { tidy } })).toEqual([]);
    expect(problems({ services: { web, tools }, jobs: { pack: { ...tidy, service: "tools" } } })).toEqual([]);
  });

  it.each<[what: string, values: Record<string, unknown>, said: RegExp]>([
    [
      "of no service",
      { services: { web }, jobs: { tidy: { ...tidy, service: "wbe" } } },
      /^jobs\.tidy\.service: there is no service "wbe": did you mean web\?/,
    ],
    [
      "at no time",
      { services: { web }, jobs: { tidy: { ...tidy, schedule: "at night" } } },
      /^jobs\.tidy\.schedule: must be a time as cron writes it/,
    ],
    [
      "in no zone",
      { services: { web }, jobs: { tidy: { ...tidy, zone: "Moscow" } } },
      /^jobs\.tidy\.zone: must be a time zone such as/,
    ],
    [
      "in a zone that is a path",
      { services: { web }, jobs: { tidy: { ...tidy, zone: "../etc" } } },
      /^jobs\.tidy\.zone: must be/,
    ],
    [
      "nothing but idle services",
      { services: { tools }, jobs: { pack: { ...tidy, service: "tools" } } },
      /^services: none of them runs/,
    ],
    [
      "an idle service without a job",
      { services: { web, tools } },
      /^services\.tools\.replicas: is 0, and no job has it/,
    ],
    [
      "an idle service with a route",
      {
        services: { web, tools: { ...web, route: "/t/", replicas: 0 } },
        jobs: { pack: { ...tidy, service: "tools" } },
      },
      /^services\.tools\.replicas: with 0 nothing of it runs but its jobs: take out route, port, health, or replicas/,
    ],
    [
      "an idle service that is needed",
      {
        services: { web: { ...web, needs: ["tools"] }, tools },
        jobs: { pack: { ...tidy, service: "tools" } },
      },
      /^services\.web\.needs: tools never runs \(replicas: 0\)/,
    ],
    [
      "told of by Telegram, without the key of fingerprints",
      { services: { web }, jobs: { tidy }, notify: { telegram: { chat: 1, token: `1:${"a".repeat(35)}` } } },
      /^identityKey: is missing; jobs that are told of by Telegram need it/,
    ],
  ])("%s: refused with the cure", (_, values, said) => {
    expect(problems(values)).toEqual([expect.stringMatching(said)]);
  });
});
