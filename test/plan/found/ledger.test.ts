import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comeback } from "../../../plan/checks/comeback";
import { ConfigError } from "../../../plan/config/errors";
import { readValues } from "../../../plan/config/read";
import type { Config } from "../../../plan/config/schema";
import type { Entry } from "../../../plan/found/entry";
import type { Facts } from "../../../plan/found/facts";
import { lastGood, obstacles } from "../../../plan/found/ledger";
import { imageId } from "../../../plan/found/present";
import { configToKeep } from "../../../plan/release/rollback";
import { change, read, type Values } from "../support/config";
import { SHOP } from "../support/shop";
import { hostAfter, planned } from "../support/stack";

// Which releases can be gone back to, and whether what serves could be.

fc.configureGlobal({ seed: 2010 });

const entry = (number: number, more: Partial<Entry> = {}): Entry => ({
  number,
  release: `r${number}`,
  kind: "deploy",
  to: undefined,
  after: number - 1,
  by: "someone@somewhere",
  began: number,
  ended: number,
  seconds: 1,
  met: undefined,
  result: "done",
  reason: undefined,
  commits: [],
  serves: [],
  images: new Map([["web:1", "sha256:1"]]),
  migrations: [],
  database: undefined,
  secrets: [],
  steps: [],
  undone: [],
  ...more,
});

/** The config of those who ask. */
const TODAY = read(SHOP);

/** A host on which the last of these serves. */
function hostOf(
  entries: readonly Entry[],
  images: Facts["images"] = new Map([["web:1", "sha256:1"]]),
): Facts {
  const { current, ...facts } = hostAfter(planned(read(SHOP)));
  const last = entries.at(-1);
  if (current === undefined || last === undefined) throw new Error("nothing serves");
  return {
    ...facts,
    images,
    ledger: [...entries].reverse(),
    current: { ...current, number: last.number, release: last.release },
  };
}

describe("the last good release", () => {
  const seven = [1, 2, 3, 4, 5, 6, 7].map((number) => entry(number));
  const back = (number: number, to: number): Entry =>
    entry(number, { kind: "rollback", to, release: `back-to-${to}` });

  it.each<[string, Entry[], number | undefined]>([
    ["after a release that was a mistake: the one before", seven, 6],
    [
      "what only put the mistake right is the mistake",
      [...seven, entry(8, { kind: "repair", release: "r7" })],
      6,
    ],
    ["one that failed is none", [...seven, entry(8, { result: "failed" }), entry(9)], 7],
    ["after going back: not the mistake again, but one before", [...seven, back(8, 6)], 5],
    [
      "the same when that was put right meanwhile",
      [...seven, back(8, 6), entry(9, { ...back(9, 6), kind: "repair" })],
      5,
    ],
    ["after going back twice", [...seven, back(8, 6), back(9, 8), back(10, 5)], 4],
    ["after going back to the first: none", [...seven, back(8, 1)], undefined],
    ["after a correction: what it was made from", [...seven, back(8, 6), entry(9)], 8],
  ])("%s", (_, entries, expected) => {
    expect(lastGood(hostOf(entries), TODAY)?.number).toBe(expected);
  });
});

describe("an image of a release", () => {
  const names: [reference: string, shown: string][] = [
    ["docker.io/library/redis:7", "redis:7"],
    ["index.docker.io/library/redis:7", "redis:7"],
    ["library/redis:7", "redis:7"],
    ["docker.io/someone/app:1", "someone/app:1"],
    ["localhost:5000/library/app:1", "localhost:5000/library/app:1"],
    ["ghcr.io/someone/app:1", "ghcr.io/someone/app:1"],
  ];

  it.each(names)("%s is found as docker images shows it", (reference, shown) => {
    const facts = hostOf(
      [entry(1, { images: new Map([[reference, "sha256:1"]]) })],
      new Map([[shown, "sha256:1"]]),
    );
    expect(imageId(facts, reference)).toBe("sha256:1");
    expect(obstacles(facts.ledger[0] ?? entry(1), facts, TODAY)).toEqual([]);
  });

  const releases = (key: string): Entry[] => {
    const images = new Map([["worker:1", "sha256:1"]]);
    const { current } = hostAfter(planned(read(SHOP)));
    const worker = current?.record.containers.worker?.key ?? "";
    return [
      entry(1, { images, serves: [key === "" ? worker : key] }),
      entry(2, { images, serves: [worker] }),
    ];
  };

  it("whose name means a newer one by now is no obstacle for the container that still runs it", () => {
    const facts = hostOf(releases(""), new Map([["worker:1", "sha256:2"]]));
    expect(obstacles(facts.ledger[1] ?? entry(1), facts, TODAY)).toEqual([]);
  });

  it("whose name means a newer one by now is one for a container that had to be made", () => {
    const facts = hostOf(releases("worker-other"), new Map([["worker:1", "sha256:2"]]));
    expect(obstacles(facts.ledger[1] ?? entry(1), facts, TODAY)).toEqual([
      "its image worker:1 is another one now on the host",
    ]);
  });
});

describe("what serves could come back", () => {
  const DIGEST = `worker@sha256:${"0".repeat(64)}`;
  const finding = (image: string, shown: string[]) => {
    const before = planned(read(change(SHOP, "services.worker.image", image)));
    const facts = { ...hostAfter(before), images: new Map(shown.map((one) => [one, "sha256:1"])) };
    const next = planned(read(change(SHOP, "services.worker.image", "worker:2")), facts);
    return comeback(facts, next.plan);
  };

  it.each<[string, string, string[], boolean]>([
    ["an image by its name", "worker:1", ["worker:1"], true],
    ["one that was named in full", "docker.io/library/worker:1", ["worker:1"], true],
    ["one that was named by its digest", DIGEST, ["worker:<none>"], true],
    ["one that is gone", "worker:1", [], false],
  ])("with %s", (_, image, shown, good) => {
    expect(finding(image, shown)?.good).toBe(good);
  });

  const DATABASE = "postgres:17-bookworm";
  const PROXY = "nginx:1.30-trixie";
  const RAN = new Map(
    ["backend:1", "frontend:1", "worker:1", DATABASE, PROXY].map((name) => [name, `sha256:old-${name}`]),
  );
  /** SHOP serves as release 1, which is on record with the IDs of what it ran. */
  const onRecord = (images: Facts["images"] = RAN): Facts => {
    const { current, ...facts } = hostAfter(planned(read(SHOP)));
    if (current === undefined) throw new Error("nothing serves");
    const serves = Object.values(current.record.containers).map(({ key }) => key);
    const one = entry(1, { release: current.release, images: RAN, serves });
    return { ...facts, images, ledger: [one], current: { ...current, number: 1 } };
  };
  const MOVED = new Map([...RAN, ["worker:1", "sha256:new"]]);
  const GONE = new Map([...RAN].filter(([name]) => name !== "worker:1"));
  const without = (...services: string[]) =>
    services.reduce<Values>((values, one) => change(values, `services.${one}`, undefined), SHOP);
  const KEPT = "its images are kept, and memory that it runs in now";
  const cure = "where docker tag old-worker:1 worker:1 puts it back";
  const ANOTHER = `its image worker:1 is another one now on the host, ${cure}`;

  it.each<[what: string, next: Values, images: Facts["images"], words: string]>([
    ["another image", change(SHOP, "services.worker.image", "worker:2"), RAN, KEPT],
    [
      "another image, its name means a newer one",
      change(SHOP, "services.worker.image", "worker:2"),
      MOVED,
      ANOTHER,
    ],
    ["only other memory", change(SHOP, "services.worker.memory", 80), RAN, KEPT],
    [
      "only other memory, its name means a newer one",
      change(SHOP, "services.worker.memory", 80),
      MOVED,
      ANOTHER,
    ],
    [
      "only other memory, its name is gone",
      change(SHOP, "services.worker.memory", 80),
      GONE,
      `its image worker:1 is gone from the host, ${cure}`,
    ],
    ["it is not wanted any more, its name means a newer one", without("worker"), MOVED, ANOTHER],
    [
      "a second one beside it, its name means a newer one",
      change(SHOP, "services.second", { image: "worker:1", memory: 64 }),
      MOVED,
      ANOTHER,
    ],
    ["it stays, whatever its name means", change(SHOP, "services.frontend.memory", 100), MOVED, KEPT],
  ])("by the IDs on record: %s", (_, next, images, words) => {
    const facts = onRecord(images);
    const { plan } = planned(read(next), facts);
    const good = words === KEPT;
    expect(comeback(facts, plan)).toEqual({
      good,
      words: good
        ? `release 1 could come back: ${words}`
        : `release 1 could not come back after this: ${words}`,
    });
    // Whoever goes back afterwards is told the same.
    const { current } = hostAfter(planned(read(next), facts));
    if (current === undefined) throw new Error("nothing serves");
    const ids = Object.values(current.record.containers).map(({ key, image }): [string, string] => {
      const stays = facts.ledger[0]?.serves.includes(key);
      return [image, (stays === true ? RAN : images).get(image) ?? "sha256:pulled"];
    });
    const serves = Object.values(current.record.containers).map(({ key }) => key);
    const two = entry(2, { release: current.release, images: new Map(ids), serves });
    const after = { ...facts, ledger: [two, ...facts.ledger], current: { ...current, number: 2 } };
    expect(obstacles(facts.ledger[0] ?? entry(1), after, read(next))).toEqual(
      good ? [] : [words.replace(`, ${cure}`, "")],
    );
  });

  it("names an image that was built, and no way to put it back by hand", () => {
    const facts = onRecord(MOVED);
    const { worker } = facts.current?.record.containers ?? {};
    if (facts.current === undefined || worker === undefined) throw new Error("nothing serves");
    const build = { hash: "1", why: "", parts: {}, files: {}, place: "host" } as const;
    const containers = { ...facts.current.record.containers, worker: { ...worker, build } };
    const built = {
      ...facts,
      current: { ...facts.current, record: { ...facts.current.record, containers } },
    };
    const { plan } = planned(read(change(SHOP, "services.worker.memory", 80)), built);
    expect(comeback(built, plan)?.words).toBe(
      "release 1 could not come back after this: its image worker:1 is another one now on the host",
    );
  });

  it.each<[what: string, next: (values: Values) => Values, missing: string[]]>([
    ["another value is no matter", (all) => change(all, "services.worker.secrets.TOKEN", "two"), []],
    [
      "one that is taken out is told",
      (all) => change(all, "services.worker.secrets", { OTHER: "b" }),
      ["services.worker.secrets.TOKEN"],
    ],
    [
      "so is a service with its own",
      (all) => change(all, "services.worker", undefined),
      ["services.worker.secrets.TOKEN", "services.worker.secrets.OTHER"],
    ],
  ])("with its secrets: %s", (_, next, missing) => {
    const before = change(change(SHOP, "identityKey", "k".repeat(40)), "services.worker.secrets", {
      TOKEN: "one",
      OTHER: "b",
    });
    const facts = { ...hostAfter(planned(read(before))), images: RAN };
    const found = comeback(facts, planned(read(next(before)), facts).plan);
    expect(found).toEqual({
      good: true,
      words:
        `release ${facts.current?.release ?? ""} could come back: its images are kept, and memory that it runs in now` +
        (missing.length === 0 ? "" : `; for that put ${missing.join(", ")} back into the config`),
    });
  });
});

describe("images that stay", () => {
  it("are also those of what serves and is not in the ledger", () => {
    const facts = { ...hostAfter(planned(read(SHOP))), ledger: [] };
    const next = planned(read(change(SHOP, "services.worker.image", "worker:2")), facts);
    expect(next.plan.retained).toEqual(expect.arrayContaining(["worker:1", "worker:2"]));
  });
});

describe("the config that a release keeps", () => {
  const leaves = (value: unknown, path: string): string[] =>
    typeof value === "object" && value !== null
      ? [path, ...Object.entries(value).flatMap(([one, inner]) => leaves(inner, `${path}.${one}`))]
      : [path];
  const BASE: Values = {
    ...SHOP,
    identityKey: "k".repeat(40),
    tls: { folder: "/etc/tls", certificate: "a.pem", key: "b.pem" },
    smoke: [{ path: "/", contains: "<b>" }],
    services: {
      ...(SHOP.services as Values),
      worker: {
        image: "worker:1",
        memory: 64,
        args: { A: 1 },
        env: { A: "1", B: 2.5, C: true, D: '{"a": 1}', E: "[x" },
        secrets: { TOKEN: "hunter2-hunter2" },
        command: ["a", "<b>"],
        volumes: [{ name: "v", path: "/v" }],
        security: { user: "1:1", capabilities: ["CHOWN"] },
      },
    },
    database: { version: 17, memory: 200, settings: { work_mem: "4MB", max_connections: 20 } },
  };
  const again = (config: Config): Config =>
    readValues(JSON.parse(JSON.stringify(config)) as Record<string, unknown>);

  it("reads as it was, whatever it was", () => {
    expect(again(read(BASE))).toEqual(read(BASE));
    const paths = Object.entries(BASE).flatMap(([one, value]) => leaves(value, one));
    const strange = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: "binary" }),
      fc.double(),
      fc.integer({ min: 1, max: 70_000 }),
      fc.stringMatching(/^\/[a-z]{0,5}$/),
      fc.array(fc.string({ unit: "binary" })),
      fc.dictionary(
        fc.stringMatching(/^[A-Z_]{1,4}$/),
        fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.boolean()),
      ),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...paths), strange, (path, value) => {
        let config: Config;
        try {
          config = read(change(BASE, path, value));
        } catch (error) {
          if (error instanceof ConfigError) return;
          throw error;
        }
        accepted += 1;
        expect(again(config)).toEqual(config);
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("holds no secret", () => {
    const kept = JSON.stringify(configToKeep(read(BASE)));
    expect(kept).not.toContain("hunter2");
    expect(kept).not.toContain("kkkk");
  });
});
