import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checklist, summarize } from "../../../plan/checks/checklist";
import { type Condition, NO_CONDITION, parseCondition } from "../../../plan/found/condition";
import type { Deployer } from "../../../plan/found/deployer";
import type { Facts } from "../../../plan/found/facts";
import { LEAST, problemsOf, read, type Values } from "../support/config";
import { EMPTY_HOST, planned } from "../support/stack";

const NOW = new Date("2026-11-20T20:30:00Z"); // a Friday
const CLEAN: Deployer = {
  now: NOW,
  repositories: [{ path: ".", commit: "0123456789abcdef", changed: 0, pushed: true }],
  tests: undefined,
};
const told = (condition: Partial<Condition>, memory?: Facts["memory"]): Facts => ({
  ...EMPTY_HOST,
  memory,
  condition: { ...NO_CONDITION, ...condition },
});
const found = (checks: Values, facts: Facts = told({}), deployer: Deployer = CLEAN, more: Values = {}) =>
  checklist(
    read({ ...LEAST, ...more, checks }),
    facts,
    deployer,
    planned(read({ ...LEAST, ...more }), facts).plan,
  );
const one = (name: string, ...rest: Parameters<typeof found>) =>
  found(...rest)
    .filter(({ check }) => check === name)
    .map(({ outcome, words }) => `${outcome}: ${words}`);

describe("the checklist", () => {
  it("has nothing to say of what is not configured and cannot be told", () => {
    expect(found({}).map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
      "tree pass",
      "pushed pass",
      "environment pass",
    ]);
  });

  it("does not look where it is off", () => {
    const dirty = { ...CLEAN, repositories: [{ path: ".", commit: "0", changed: 3, pushed: false }] };
    expect(one("tree", { tree: { level: "off" } }, told({}), dirty)).toEqual([]);
  });

  it("does not look at the source when an earlier release is gone back to", () => {
    const red = {
      ...CLEAN,
      repositories: [{ path: ".", commit: "0", changed: 3, pushed: false }],
      tests: "red",
    } as const;
    expect(found({}, told({}), red, { rollbackTo: 1 }).map(({ check }) => check)).toEqual(["environment"]);
  });

  it("knows every repository that something deployed comes from", () => {
    const repositories = [
      { path: ".", commit: "0123456789abcdef", changed: 1, pushed: true },
      { path: "../crm/backend", commit: "fedcba9876543210", changed: 0, pushed: false },
      { path: "../crm/frontend", commit: undefined, changed: 0, pushed: false },
    ];
    const deployer = { ...CLEAN, repositories };
    expect(one("tree", {}, told({}), deployer)).toEqual([
      "warn: the project has 1 file that no commit holds; ../crm/frontend is not under git: " +
        "nobody can build this release again",
    ]);
    expect(one("pushed", { pushed: { level: "stop" } }, told({}), deployer)).toEqual([
      "stop: on no remote: fedcba987654 (../crm/backend): git push, so that others can go on from it",
    ]);
  });

  it("does not take a tree for committed that git cannot tell of", () => {
    const repositories = [
      { path: ".", commit: "0123456789abcdef", changed: undefined, pushed: true },
      { path: "../api", commit: "fedcba9876543210", changed: 0, pushed: true },
    ];
    const untold = "git could not tell whether the project is committed: run git status there to see why";
    expect(one("tree", {}, told({}), { ...CLEAN, repositories })).toEqual([`warn: ${untold}`]);
    const more = [...repositories, { path: "../web", commit: "0", changed: 2, pushed: true }];
    expect(one("tree", {}, told({}), { ...CLEAN, repositories: more })).toEqual([
      `warn: ../web has 2 files that no commit holds: nobody can build this release again; ${untold}`,
    ]);
  });

  it.each([
    ["green", "pass: tests are green for this commit"],
    ["red", "stop: tests fail"],
    ["unknown", "pass: tests have not run for this commit: 'pulumi up' runs them first"],
  ] as const)("tests %s", (tests, words) => {
    expect(one("tests", { tests: { command: "npm test" } }, told({}), { ...CLEAN, tests })).toEqual([words]);
  });

  it("misses what a service requires, and finds placeholders", () => {
    const services = {
      worker: {
        image: "worker:1.0",
        memory: 64,
        env: { MODE: "quiet", URL: "changeme", EMPTY: "" },
        secrets: { TOKEN: "x" },
        requires: ["MODE", "TOKEN", "EMPTY", "MAIL_FROM"],
      },
    };
    const key = "0123456789abcdef0123456789abcdef";
    expect(one("environment", {}, told({}), CLEAN, { services, identityKey: key })).toEqual([
      "stop: services.worker: EMPTY is required and not set; services.worker: MAIL_FROM is required and not set; " +
        "services.worker: URL is still a placeholder",
    ]);
  });

  it.each([
    // 20:30 UTC on Friday is 23:30 in Moscow.
    ["22:00", "07:00", "Europe/Moscow", ["fri"], "warn"],
    ["22:00", "07:00", "Europe/Moscow", ["sat"], "pass"],
    ["22:00", "07:00", "UTC", ["fri"], "pass"],
    ["20:00", "21:00", "UTC", ["fri"], "warn"],
    ["20:31", "21:00", "UTC", ["fri"], "pass"],
    ["19:00", "20:30", "UTC", ["fri"], "pass"],
    ["20:30", "20:31", "UTC", ["fri"], "warn"],
    // 05:30 on Saturday in Tokyo belongs to the night that began on Friday.
    ["22:00", "07:00", "Asia/Tokyo", ["fri"], "warn"],
    ["22:00", "07:00", "Asia/Tokyo", ["sat"], "pass"],
    ["00:00", "24:00", "UTC", ["fri"], "warn"],
    ["00:00", "24:00", "UTC", ["sat"], "pass"],
    ["20:30", "24:00", "UTC", ["fri"], "warn"],
    ["20:31", "24:00", "UTC", ["fri", "thu"], "pass"],
  ])("quiet hours %s-%s in %s on %j: %s", (from, to, zone, days, outcome) => {
    const [words = ""] = one("quietHours", { quietHours: { from, to, zone, days } });
    expect(words.startsWith(`${outcome}: `), words).toBe(true);
  });

  it.each([
    // Sunday has 23 hours in Berlin where summer time begins, and 25 where it ends.
    ["2026-03-29T22:30:00Z", "sun", "warn"],
    ["2026-03-29T22:30:00Z", "sat", "pass"],
    ["2026-10-25T23:30:00Z", "sun", "warn"],
    ["2026-10-25T23:30:00Z", "sat", "pass"],
    ["2026-10-25T00:30:00Z", "sat", "warn"],
    ["2026-11-22T23:30:00Z", "sun", "warn"],
  ])("at %s it is the night of %s in Berlin: %s", (now, day, outcome) => {
    const night = { from: "22:00", to: "06:00", zone: "Europe/Berlin", days: [day] };
    const [words = ""] = one("quietHours", { quietHours: night }, told({}), { ...CLEAN, now: new Date(now) });
    expect(words.startsWith(`${outcome}: `), words).toBe(true);
  });

  it("compares memory and disk with what is wanted", () => {
    const facts = told({ diskFree: 511 * 1024 + 1023 }, { total: 1024 * 1024, used: 1000 * 1024, ours: 0 });
    expect(one("memory", { memory: { free: 24 } }, facts)).toEqual([
      "pass: 24 MiB of memory free on the host",
    ]);
    expect(one("memory", { memory: { free: 25 } }, facts)[0]).toMatch(/^warn: only 24 MiB .*, wanted 25: /);
    expect(one("disk", {}, facts)[0]).toMatch(/^stop: only 511 MiB of disk free on the host, wanted 512: /);
    expect(one("disk", { disk: { free: 511 } }, facts)[0]).toMatch(/^pass: /);
  });

  it("compares the clocks", () => {
    const at = (off: number) => told({ clock: NOW.getTime() / 1000 + off });
    expect(one("clock", {}, at(30))).toEqual(["pass: the host's clock is right"]);
    expect(one("clock", {}, at(3600))[0]).toMatch(
      /^warn: the host's clock is 3600 s ahead of this machine's: /,
    );
    expect(one("clock", {}, at(-31))[0]).toMatch(/^warn: the host's clock is 31 s behind this machine's: /);
  });

  it("knows how old the newest backup is", () => {
    const at = (hours: number) => told({ backup: NOW.getTime() / 1000 - hours * 3600 });
    expect(one("backup", {}, at(1000))).toEqual([]);
    expect(one("backup", { backup: { hours: 24 } }, at(24))).toEqual(["pass: the newest backup is 24 h old"]);
    expect(one("backup", { backup: { hours: 24 } }, at(25))[0]).toMatch(
      /^warn: .* 25 h old, wanted at most 24/,
    );
    expect(one("backup", { backup: { hours: 24 } }, told({}))).toEqual([
      "warn: there is no backup of the database",
    ]);
  });

  it.each([
    ["up", "pass: the database answers"],
    ["down", "warn: the database that serves does not answer: see its log"],
  ] as const)("database %s", (database, words) => {
    expect(one("database", {}, told({ database }))).toEqual([words]);
  });

  it("shows in a preview only what is not as wanted", () => {
    expect(summarize(found({}, told({ database: "down", clock: NOW.getTime() / 1000 })))).toBe(
      "checklist: 4 of 5 as wanted\n  warn  database: the database that serves does not answer: see its log",
    );
  });

  it.each([
    [{ tree: { level: "no" } }, "checks.tree.level: must be off, warn or stop"],
    [{ quietHours: { from: "22:00" } }, "checks.quietHours: needs both from and to"],
    [
      { quietHours: { from: "9:00", to: "10:00" } },
      'checks.quietHours.from: must be a time of day such as "22:00"',
    ],
    [
      { quietHours: { from: "24:00", to: "07:00" } },
      'checks.quietHours.from: must be a time of day such as "22:00"',
    ],
    [
      { quietHours: { from: "22:00", to: "24:01" } },
      'checks.quietHours.to: must be a time of day such as "07:00", or "24:00"',
    ],
    [
      { quietHours: { from: "22:00", to: "22:00" } },
      "checks.quietHours: from and to are the same, which is no time at all: " +
        'for the whole day take from "00:00" to "24:00"',
    ],
    [
      { quietHours: { zone: "Mars/Base" } },
      "checks.quietHours.zone: must be a time zone such as Europe/Moscow",
    ],
    [{ diks: {} }, "checks.diks: is not a setting: did you mean disk?"],
  ])("%j is refused", (checks, words) => {
    expect(problemsOf({ ...LEAST, checks })).toEqual([words]);
  });
});

describe("a certificate", () => {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("is read for its end", () => {
    const file = join(folder, "site.pem");
    const words = ["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost", "-days", "20"];
    execFileSync("openssl", [...words, "-keyout", join(folder, "site.key"), "-out", file], {
      stdio: "ignore",
    });
    const line = `certificate ${readFileSync(file).toString("base64")}`;
    const condition = parseCondition(["disk 1", line]);
    const at = (days: number) => ({ ...CLEAN, now: new Date(Date.now() + days * 86_400_000) });
    expect(one("certificate", {}, told(condition), at(1))[0]).toMatch(
      /^pass: the certificate is good for 1[89] days/,
    );
    expect(one("certificate", {}, told(condition), at(10))[0]).toMatch(
      /^warn: the certificate ends in \d days: /,
    );
    expect(one("certificate", {}, told(condition), at(25))[0]).toMatch(
      /^warn: the certificate expired \d days ago: /,
    );
  });

  it.each(["certificate unreadable", "certificate !!!"])("that is none (%s) is told", (line) => {
    expect(one("certificate", {}, told(parseCondition([line])))[0]).toMatch(
      /^warn: the certificate cannot be read/,
    );
  });
});
