import { describe, expect, it } from "vitest";
import { diagnose, type Here } from "../../ops/doctor";
import { change, LEAST, read, type Values } from "../plan/support/config";
import { NAMES } from "../plan/support/stack";

const HERE: Here = {
  asked: [1000, 1002],
  node: "v22.1.0",
  pulumi: "v3.250.0",
  engineProblem: undefined,
  addresses: new Map([
    ["crm.example.org", ["192.0.2.1"]],
    ["example.com", ["192.0.2.1"]],
  ]),
  host: "example.com",
};
const WELL = [
  "user ann",
  "docker 28.5.1",
  "buildx",
  "writes /var/lib",
  "memory 1048576 600000",
  "disk 9000000",
  "clock 1001",
  "cron",
];
const SITE: Values = [
  ["host", { address: "ssh://ann@example.com", hostKey: "ssh-ed25519 AAAA" }],
  ["domain", "crm.example.org"],
].reduce<Values>((values, [path, value]) => change(values, path as string, value), LEAST);

const found = (lines: readonly string[], here: Partial<Here> = {}, values: Values = SITE) =>
  diagnose(lines.join("\n"), { ...HERE, ...here }, read(values), NAMES).filter(
    ({ outcome }) => outcome !== "pass",
  );
const without = (word: string, ...more: string[]) => [
  ...WELL.filter((line) => line.split(" ")[0] !== word),
  ...more,
];

describe("the doctor", () => {
  it("finds nothing where all is well, and says what it looked at", () => {
    expect(found(WELL)).toEqual([]);
    const all = diagnose(WELL.join("\n"), HERE, read(SITE), NAMES);
    expect(all.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        "node here",
        "ssh",
        "docker",
        "state",
        "memory",
        "disk",
        "clock",
        "port 80",
        "cron",
      ]),
    );
  });

  it.each<[situation: string, lines: string[], what: string, outcome: string, cure: RegExp]>([
    [
      "no rights",
      without("docker", "refused permission denied while trying to connect"),
      "docker",
      "stop",
      /usermod -aG docker ann/,
    ],
    [
      "no Docker",
      without("docker", "refused sh: docker: not found", "lacks docker"),
      "docker",
      "stop",
      /is not installed/,
    ],
    [
      "its engine down",
      without("docker", "refused Cannot connect to the Docker daemon"),
      "docker",
      "stop",
      /systemctl enable --now docker/,
    ],
    ["an old Docker", without("docker", "docker 19.3.5"), "docker", "stop", /20\.10 or newer/],
    ["no flock", [...WELL, "lacks flock"], "programs", "stop", /lacks flock: install/],
    ["a folder of root's", without("writes", "writes-not /var/lib"), "state", "stop", /host\.stateDir/],
    ["a full disk", without("disk", "disk 500000"), "disk", "warn", /488 MiB free/],
    ["another clock", without("clock", "clock 1100"), "clock", "warn", /is 98 s off/],
    ["no cron", without("cron"), "cron", "warn", /apt install cron/],
    ["nginx of its own", [...WELL, "held 80 process nginx"], "port 80", "stop", /is held by nginx/],
    [
      "another container",
      [...WELL, "held 80 container old-web other/prod"],
      "port 80",
      "stop",
      /docker stop old-web/,
    ],
    [
      "little memory",
      without("memory", "memory 65536 1000"),
      "memory",
      "warn",
      /64 MiB, and the stack's limits are/,
    ],
  ])("tells %s, with the cure", (_, lines, what, outcome, cure) => {
    expect(found(lines)).toEqual([{ what, outcome, words: expect.stringMatching(cure) as string }]);
  });

  it("stops where jobs are configured and there is no cron", () => {
    const [service = ""] = Object.keys(SITE.services as object);
    const jobs = { tidy: { service, command: ["tidy"], schedule: "@daily" } };
    expect(found(without("cron"), {}, change(SITE, "jobs", jobs))).toEqual([
      {
        what: "cron",
        outcome: "stop",
        words: expect.stringMatching(/jobs need one .*apt install cron/) as string,
      },
    ]);
  });

  it("lets a stack have its own ports", () => {
    expect(found([...WELL, `held 80 container proxy-1 ${NAMES.project}/${NAMES.stack}`])).toEqual([]);
  });

  it("tells where names lead elsewhere, or nowhere", () => {
    const addresses = new Map([
      ["example.com", ["192.0.2.1"]],
      ["crm.example.org", ["198.51.100.7"]],
    ]);
    expect(found(WELL, { addresses })[0]?.words).toMatch(/leads to 198\.51\.100\.7 and not to 192\.0\.2\.1/);
    expect(found(WELL, { addresses: new Map([["example.com", ["192.0.2.1"]]]) })[0]?.words).toMatch(
      /is not known: point it to 192\.0\.2\.1/,
    );
  });

  it("tells what this machine lacks", () => {
    expect(found(WELL, { node: "v18.0.0", pulumi: undefined }).map(({ what }) => what)).toEqual([
      "node here",
      "pulumi here",
    ]);
  });
});
