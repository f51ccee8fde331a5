import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comeback } from "../../plan/comeback";
import { ConfigError } from "../../plan/config/errors";
import { readValues } from "../../plan/config/read";
import type { Config } from "../../plan/config/schema";
import { type Facts, imageId } from "../../plan/facts";
import { type Entry, lastGood, obstacles } from "../../plan/ledger";
import { configToKeep } from "../../plan/rollback";
import { change, read, type Values } from "./support/config";
import { SHOP } from "./support/shop";
import { hostAfter, planned } from "./support/stack";

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
  result: "done",
  reason: undefined,
  commits: [],
  serves: [],
  images: new Map([["web:1", "sha256:1"]]),
  migrations: [],
  database: undefined,
  steps: [],
  undone: [],
  ...more,
});

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
    expect(lastGood(hostOf(entries))?.number).toBe(expected);
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
    expect(obstacles(facts.ledger[0] ?? entry(1), facts)).toEqual([]);
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
    expect(obstacles(facts.ledger[1] ?? entry(1), facts)).toEqual([]);
  });

  it("whose name means a newer one by now is one for a container that had to be made", () => {
    const facts = hostOf(releases("worker-other"), new Map([["worker:1", "sha256:2"]]));
    expect(obstacles(facts.ledger[1] ?? entry(1), facts)).toEqual([
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
