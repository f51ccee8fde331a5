import { describe, expect, it } from "vitest";
import { checklist } from "../../../plan/checks/checklist";
import type { Config } from "../../../plan/config/schema";
import type { Entry } from "../../../plan/found/entry";
import type { Facts } from "../../../plan/found/facts";
import { lastGood, obstacles } from "../../../plan/found/ledger";
import { releasesToKeep } from "../../../plan/found/retention";
import { planRelease } from "../../../plan/release/release";
import { configToKeep, pinned } from "../../../plan/release/rollback";
import { describeStack } from "../../../plan/release/stack";
import { explain, explainPin } from "../../../plan/words/explain";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { hostAfter, NAMES, NO_PROJECT, planned, SCRIPT, verbs } from "../support/stack";

const KEY = "0123456789abcdef0123456789abcdef";
const WITH_SECRET = change(change(SHOP, "services.backend.secrets", { TOKEN: "one" }), "identityKey", KEY);
const edited = (...edits: [path: string, value: unknown][]): Values =>
  edits.reduce<Values>((values, [path, value]) => change(values, path, value), WITH_SECRET);

/** The config of those who ask. */
const TODAY = read(WITH_SECRET);

const IMAGES = { "backend:1": "sha256:b1", "frontend:1": "sha256:f1" };
const entry = (number: number, more: Partial<Entry> = {}): Entry => ({
  number,
  release: `release-${number}`,
  kind: "deploy",
  to: undefined,
  after: number - 1,
  by: "ann@laptop",
  began: 1_790_000_000,
  ended: 1_790_000_010,
  seconds: 10,
  met: undefined,
  result: "done",
  reason: undefined,
  commits: [],
  serves: [],
  images: new Map(Object.entries(IMAGES)),
  migrations: [],
  database: { version: 17, volume: "shop-test-database" },
  secrets: [],
  steps: [],
  undone: [],
  ...more,
});

/** A host on which `now` serves as release 2, and `before` is on record as release 1. */
function after(now: Values, before: Values, more: Partial<Entry> = {}): Facts {
  const first = planned(read(before));
  const host = hostAfter(planned(read(now)));
  return {
    ...host,
    images: new Map(Object.entries(IMAGES)),
    ledger: [entry(2), entry(1, { release: first.plan.release, ...more })],
    current: host.current && { ...host.current, number: 2 },
    kept: {
      config: configToKeep(read(before)),
      record: JSON.parse(JSON.stringify(first.plan.record)) as unknown,
    },
  };
}

const BACKEND_2: [string, unknown] = ["services.backend.image", "backend:2"];
const back = (now: Values, facts: Facts) => pinned(read({ ...now, rollbackTo: 1 }), facts);

describe("the config that a release remembers", () => {
  it("holds no secret, and shows which has changed", () => {
    const kept = JSON.stringify(configToKeep(read(WITH_SECRET)));
    expect(kept).not.toContain("one");
    expect(kept).not.toContain(KEY);
    expect(kept).not.toBe(
      JSON.stringify(configToKeep(read(edited(["services.backend.secrets.TOKEN", "two"])))),
    );
  });

  it("is the very same config once it is read again", () => {
    const facts = after(WITH_SECRET, WITH_SECRET);
    expect(back(WITH_SECRET, facts).config).toEqual(read({ ...WITH_SECRET, rollbackTo: 1 }));
  });
});

describe("going back", () => {
  it("has that release's config with today's secrets, password and ways to deploy", () => {
    const now = edited(
      BACKEND_2,
      ["services.backend.secrets.TOKEN", "two"],
      ["database.passwordVersion", 3],
      ["host.lockWait", 5],
      ["keep", 9],
      ["domain", "new.example.org"],
      ["redirects", { "old.example.org": "new.example.org" }],
    );
    const { config, pin } = back(now, after(now, WITH_SECRET));
    expect(config).toEqual(
      read(
        change(
          {
            ...edited(
              ["services.backend.secrets.TOKEN", "two"],
              ["database.passwordVersion", 3],
              ["host.lockWait", 5],
              ["keep", 9],
            ),
          },
          "rollbackTo",
          1,
        ),
      ),
    );
    expect(explainPin(pin)).toEqual([
      expect.stringMatching(
        /^PINNED to release 1 \(\S+, 2026-09-21 \d\d:\d\d UTC, by ann@laptop\): its config/,
      ),
      "secrets that have changed since: backend.TOKEN; today's are used",
      "no migration runs; to go on from today's config: pulumi config rm rollbackTo",
    ]);
  });

  it("is a release like any other, but runs no migration and builds nothing", () => {
    const now = edited(BACKEND_2);
    const facts = after(now, WITH_SECRET);
    const { config, pin } = back(now, facts);
    const stack = describeStack(NO_PROJECT, config, NAMES, facts, pin);
    const plan = planRelease(config, stack, facts, SCRIPT);
    expect(plan.kind).toBe("rollback");
    expect(verbs({ config, stack, plan }, facts.current)).toEqual(
      [
        "start backend'",
        "healthy backend'",
        "stage the new release can be tried",
        "promote backend'",
        "route requests go to the new release",
        "observe 1",
        "record",
        "drain backend",
        "stop backend",
        "remove backend",
        "sweep",
      ].filter((verb) => verb !== "promote backend'"),
    );
  });

  it.each<[what: string, now: Values, before: Values, more: Partial<Entry>, words: string]>([
    ["that did not succeed", WITH_SECRET, WITH_SECRET, { result: "failed" }, "it did not succeed (failed)"],
    [
      "whose image is gone",
      WITH_SECRET,
      WITH_SECRET,
      { images: new Map([["backend:0", "sha256:b0"]]) },
      "its image backend:0 is gone from the host; ready are 2",
    ],
    [
      "whose image is another one",
      WITH_SECRET,
      WITH_SECRET,
      { images: new Map([["backend:1", "sha256:other"]]) },
      "its image backend:1 is another one now on the host",
    ],
    [
      "of another PostgreSQL",
      WITH_SECRET,
      WITH_SECRET,
      { database: { version: 16, volume: "shop-test-database" } },
      "it ran PostgreSQL 16, which cannot read the data of 17",
    ],
    [
      "that needs a secret that is gone",
      change(WITH_SECRET, "services.backend.secrets", undefined),
      WITH_SECRET,
      {},
      "release 1 needs services.backend.secrets.TOKEN, which is not in the config any more",
    ],
  ])("to a release %s is refused", (_, now, before, more, words) => {
    expect(() => back(now, after(now, before, more))).toThrow(words);
  });

  describe("to one whose secrets have left the config", () => {
    const TOKEN = { service: "backend", name: "TOKEN" };
    const told = (now: Values, secrets: Entry["secrets"]): string[] =>
      obstacles(entry(1, { secrets }), after(WITH_SECRET, WITH_SECRET), read(now));
    const path = "services.backend.secrets.TOKEN, which is not in the config any more";

    it("is refused by all who ask for releases that are ready, with the way out", () => {
      expect(told(edited(["services.backend.secrets.TOKEN", "two"]), [TOKEN])).toEqual([]);
      expect(told(edited(["services.backend.secrets", undefined]), [TOKEN])).toEqual([
        `it needs ${path}: set it, or revert the commit that took it out instead`,
      ]);
      expect(told(edited(["services.backend", undefined], ["services.worker", undefined]), [TOKEN])).toEqual([
        `it needs ${path}: revert the commit that took it out instead`,
      ]);
    });

    it("is refused later where an entry does not tell of them", () => {
      expect(told(edited(["services.backend.secrets", undefined]), [])).toEqual([]);
    });

    it("is not what the last good one is, nor among those that are ready", () => {
      const now = read(edited(["services.backend.secrets", undefined]));
      const host = after(WITH_SECRET, WITH_SECRET);
      const facts = { ...host, ledger: [entry(3), entry(2, { secrets: [TOKEN] }), entry(1)] };
      const serving = { ...facts, current: host.current && { ...host.current, number: 3 } };
      expect(lastGood(serving, TODAY)?.number).toBe(2);
      expect(lastGood(serving, now)?.number).toBe(1);
      expect(() => pinned({ ...now, rollbackTo: 2 }, facts)).toThrow(
        `release 2 cannot be gone back to: it needs ${path}: set it, or revert the commit that took it out instead; ` +
          "ready are 3, 1",
      );
    });
  });

  it("to one that is not on record, or on a host that cannot be asked, is refused", () => {
    const facts = after(WITH_SECRET, WITH_SECRET);
    expect(() => pinned(read({ ...WITH_SECRET, rollbackTo: 7 }), facts)).toThrow(
      "rollbackTo: release 7 is not on record; ready are 2, 1 (ops releases)",
    );
    expect(() => back(WITH_SECRET, { ...facts, known: false })).toThrow("which could not be asked");
    expect(() => back(WITH_SECRET, { ...facts, kept: undefined })).toThrow("what is kept of it is damaged");
  });
});

describe("migrations since", () => {
  const migrated = (number: number, kind: "expand" | "contract" | "offline", more: Partial<Entry> = {}) =>
    entry(number, { migrations: [{ key: `api-migrate-${number}`, kind }], ...more });
  const hindered = (ledger: readonly Entry[]): number[] => {
    const facts = { ...after(WITH_SECRET, WITH_SECRET), ledger };
    return ledger.filter((one) => obstacles(one, facts, TODAY).length > 0).map(({ number }) => number);
  };

  it("that only add hinder nobody", () => {
    expect(hindered([migrated(3, "expand"), entry(2), entry(1)])).toEqual([]);
  });

  it("that take away hinder all but the release that they replaced, also when theirs failed", () => {
    expect(hindered([migrated(3, "contract"), entry(2), entry(1)])).toEqual([1]);
    expect(hindered([migrated(3, "contract", { result: "failed" }), entry(2), entry(1)])).toEqual([3, 1]);
  });

  it("that run offline hinder every earlier one", () => {
    expect(hindered([migrated(3, "offline"), entry(2), entry(1)])).toEqual([2, 1]);
  });

  it("of other data hinder nobody; data that is gone cannot be gone back to", () => {
    const elsewhere = { version: 17, volume: "other" };
    expect(hindered([migrated(3, "offline", { database: elsewhere }), entry(2), entry(1)])).toEqual([3]);
    const host = after(WITH_SECRET, WITH_SECRET);
    const why = (volumes: Facts["volumes"]) => obstacles(entry(1), { ...host, volumes }, TODAY);
    expect(why(host.volumes)).toEqual([]);
    expect(why([])).toEqual(["its data is gone: the volume shop-test-database is not on the host"]);
    expect(why(host.volumes.map((one) => ({ ...one, made: 1 })))).toEqual([
      "its data was lost, and the new volume shop-test-database has not been migrated",
    ]);
  });
});

describe("the releases that stay", () => {
  const ledger = [
    entry(6, { result: "failed" }),
    entry(5),
    entry(4, { release: "release-3" }),
    entry(3),
    entry(2),
    entry(1),
  ];
  it("are the newest of different content that succeeded, and always what serves", () => {
    const numbers = (serving: string, keep: number) =>
      releasesToKeep(ledger, serving, keep).map(({ number }) => number);
    expect(numbers("new", 3)).toEqual([5, 4]);
    expect(numbers("release-1", 2)).toEqual([1, 5]);
    expect(numbers("release-5", 3)).toEqual([5, 4, 2]);
    expect(numbers("release-5", 1)).toEqual([5]);
  });

  it("and the last good one is the newest before what serves; after a rollback, before what it went back to", () => {
    const facts = after(WITH_SECRET, WITH_SECRET);
    const good = (number: number, release: string, entries: readonly Entry[]) =>
      lastGood(
        {
          ...facts,
          ledger: entries,
          current: facts.current && { ...facts.current, number, release },
        },
        TODAY,
      )?.number;
    expect(good(5, "release-5", ledger)).toBe(4);
    const back = entry(7, { kind: "rollback", to: 4, release: "release-3" });
    expect(good(7, "release-3", [back, ...ledger])).toBe(2);
    const further = entry(8, { kind: "rollback", to: 7, release: "release-3" });
    expect(good(8, "release-3", [further, back, ...ledger])).toBe(2);
    expect(good(5, "release-5", [])).toBeUndefined();
  });
});

describe("the title of a plan", () => {
  const title = (values: Values, facts: Facts): string => {
    const config = read(values);
    return (explain(planned(config, facts).plan, config, facts).split("\n")[0] ?? "").replaceAll(
      /[0-9a-f]{12}/g,
      "#",
    );
  };

  it("has the numbers that the ledger knows", () => {
    const facts = after(edited(BACKEND_2), WITH_SECRET);
    expect(title(WITH_SECRET, facts)).toBe("release # (number 1 again) replaces # (number 2)");
    expect(title(edited(["services.backend.image", "backend:3"]), facts)).toBe(
      "release # replaces # (number 2)",
    );
  });
});

describe("a migration that earlier code does not work with", () => {
  const MIGRATES = ["services.backend.migrate", ["up", "2"]] as [string, unknown];
  const steps = (kind: string): string[] => {
    const before = planned(read(WITH_SECRET));
    const facts = hostAfter(before);
    return verbs(
      planned(read(edited(BACKEND_2, MIGRATES, ["services.backend.migrateKind", kind])), facts),
      facts.current,
    );
  };

  it("comes after a dump", () => {
    expect(steps("contract").slice(0, 3)).toEqual([
      "backup database",
      "migrate backend-migrate'",
      "start backend'",
    ]);
    expect(steps("expand")[0]).toBe("migrate backend-migrate'");
  });

  it("offline: the old version is stopped before, and requests wait", () => {
    const all = steps("offline");
    expect(all.slice(0, 8)).toEqual([
      "hold requests to backend wait for its migration",
      "drain backend",
      "shelter backend",
      "stop backend",
      "backup database",
      "migrate backend-migrate'",
      "hold requests to backend wait",
      "start backend'",
    ]);
    expect(all.filter((verb) => verb === "stop backend")).toHaveLength(1);
  });
});

describe("whether older code works with the data", () => {
  const CONTRACT = { key: "backend-migrate-2", kind: "contract" as const };
  /** Backend 2 serves; what it replaced was release 1, or an earlier one. */
  const host = (ledger: readonly Entry[]): Facts => ({
    ...hostAfter(planned(read(edited(BACKEND_2)))),
    ledger,
  });
  const told = (values: Values, facts: Facts): string[] => {
    const config = read(values);
    const deployer = { now: new Date(), repositories: [], tests: undefined };
    return checklist(config, facts, deployer, planned(config, facts).plan)
      .filter(({ check }) => check === "olderCode")
      .map(({ outcome, words }) => `${outcome}: ${words}`);
  };
  const two = entry(2, { images: new Map([["backend:2", "sha256:b2"]]), migrations: [CONTRACT] });

  it("is nothing to ask of new code, of what serves, or where the ledger does not know it", () => {
    const facts = host([two, entry(1)]);
    expect(told(edited(["services.backend.image", "backend:3"]), facts)).toEqual([]);
    expect(told(edited(BACKEND_2, ["services.backend.env", { A: "1" }]), facts)).toEqual([]);
    expect(told(WITH_SECRET, host([two]))).toEqual([]);
    expect(told(WITH_SECRET, host([two, entry(1, { result: "failed" })]))).toEqual([]);
  });

  it("is a yes for what the contracting release has replaced, and where all migrations were expanding", () => {
    const good = "pass: backend gets the code of release 1 again, which works with the data as it is";
    expect(told(WITH_SECRET, host([two, entry(1)]))).toEqual([good]);
    const expanding = entry(3, { migrations: [{ key: "m", kind: "expand" }], images: two.images });
    expect(told(WITH_SECRET, host([expanding, { ...two, migrations: [] }, entry(1)]))).toEqual([good]);
  });

  it("is a stop behind a contract of a later release, also with another setting or secret; config can make it a warning", () => {
    const later = entry(3, { migrations: [CONTRACT], images: two.images });
    const facts = host([later, { ...two, migrations: [] }, entry(1)]);
    const words =
      "backend gets the code of release 1 again: release 3 has run backend-migrate-2 (contract) since, and the older " +
      "code does not work with its data. Go on from newer code, or restore the dump from before that first";
    expect(told(WITH_SECRET, facts)).toEqual([`stop: ${words}`]);
    expect(told(edited(["services.backend.secrets.TOKEN", "other"]), facts)).toEqual([`stop: ${words}`]);
    const lenient = change(WITH_SECRET, "checks", { olderCode: { level: "warn" } });
    expect(told(lenient, facts)).toEqual([`warn: ${words}`]);
  });

  it("goes by the data that it gets, not by what it had then", () => {
    const old = { version: 17, volume: "old" };
    const later = entry(3, { migrations: [CONTRACT], images: two.images });
    const moved = [later, { ...two, migrations: [] }, entry(1, { database: old })];
    expect(told(WITH_SECRET, host(moved))).toEqual([expect.stringMatching(/^stop: /)]);
    const left = [{ ...later, database: old }, { ...two, migrations: [] }, entry(1, { database: old })];
    expect(told(WITH_SECRET, host(left))).toEqual([expect.stringMatching(/^pass: /)]);
  });

  it("is not asked of a service that has no part in the database, nor of a rollback", () => {
    const front = edited(BACKEND_2, ["services.frontend.image", "frontend:0"]);
    const zero = entry(1, { images: new Map([["frontend:0", "sha256:f0"]]) });
    const facts = host([entry(3, { migrations: [CONTRACT] }), zero]);
    expect(told(front, facts)).toEqual([]);
    expect(told({ ...WITH_SECRET, rollbackTo: 1 }, host([two, entry(1)]))).toEqual([]);
  });
});

describe("whether what serves could come back", () => {
  const facts = hostAfter(planned(read(WITH_SECRET)));
  const told = (config: Config, host: Facts): string[] =>
    checklist(
      config,
      host,
      { now: new Date(), repositories: [], tests: undefined },
      planned(config, host).plan,
    )
      .filter(({ check }) => check === "comeback")
      .map(({ outcome, words }) => `${outcome}: ${words}`);

  it("is nothing to ask where nothing serves, or nothing is replaced", () => {
    expect(told(read(WITH_SECRET), { ...facts, current: undefined })).toEqual([]);
    expect(told(read(WITH_SECRET), facts)).toEqual([]);
  });

  it("is a yes for an ordinary release", () => {
    const listed = { ...facts, images: new Map(Object.entries(IMAGES)) };
    expect(told(read(edited(BACKEND_2)), listed)).toEqual([
      expect.stringMatching(/^pass: release [0-9a-f]{12} could come back: its images are kept, and memory/),
    ]);
  });

  it("is a stop where an image is gone, or after an offline migration; config can make that a warning", () => {
    expect(told(read(edited(BACKEND_2)), facts)).toEqual([
      expect.stringMatching(
        /^stop: .* could not come back after this: its image backend:1 is gone from the host$/,
      ),
    ]);
    const offline = edited(
      ["services.backend.migrate", ["up", "2"]],
      ["services.backend.migrateKind", "offline"],
    );
    expect(told(read(offline), facts)).toEqual([
      expect.stringMatching(/backend-migrate-[0-9a-f]{12} is an offline migration, after which older code/),
    ]);
    expect(told(read(change(offline, "checks", { comeback: { level: "warn" } })), facts)[0]).toMatch(
      /^warn: /,
    );
  });
});
