import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFacts } from "../../../plan/found/answer";
import { NO_FACTS } from "../../../plan/found/facts";
import { generation } from "../../../plan/found/present";
import { budget, chooseOrders, headroom, type Start } from "../../../plan/release/memory";
import { LEAST, read } from "../support/config";
import { factsAfter, planned } from "../support/stack";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const WHOLE = factsAfter(planned(read(LEAST)));
const parse = (...lines: string[]) => parseFacts(lines.join("\n"));

describe("what a host tells", () => {
  it("is nothing but its engine, where nothing of ours is", () => {
    expect(parse("engine linux/arm64 28.0.1", "memory 2000 1000", "ours 0", "end")).toEqual({
      ...NO_FACTS,
      known: true,
      platform: "linux/arm64",
      memory: { total: 2000, used: 1000, ours: 0 },
    });
  });

  it("is all that is there", () => {
    const facts = parse(
      "engine linux/amd64 20.10.24",
      "active release 0a1b by ann@laptop, since 2026-11-23 03:00:00 UTC",
      "interrupted",
      "memory 1048576 600000",
      "ours 200000",
      "container abc web-000000000001 service running",
      "container def web-migrate-000000000002 migrate exited",
      "image shop/test/web:123456789012 sha256:aa",
      "need web 310",
      "seen web-000000000001 old 0",
      "seen web-000000000001 abc 1",
      "seen image:shop/test/web:1 shop/test/web:1 4",
      "end",
    );
    expect(facts).toMatchObject({
      active: "release 0a1b by ann@laptop, since 2026-11-23 03:00:00 UTC",
      interrupted: true,
      memory: { total: 1048576, used: 600000, ours: 200000 },
      containers: [
        { id: "abc", key: "web-000000000001", role: "service", state: "running" },
        { id: "def", key: "web-migrate-000000000002", role: "migrate", state: "exited" },
      ],
      images: new Map([["shop/test/web:123456789012", "sha256:aa"]]),
      buildNeeds: new Map([["web", 310]]),
      current: undefined,
    });
    // What was seen last counts.
    expect(facts.seen.get("web-000000000001")).toEqual({ id: "abc", generation: 1 });
    expect(facts.seen.get("image:shop/test/web:1")).toEqual({ id: "shop/test/web:1", generation: 4 });
  });

  it("is an error where it breaks off, wherever that is", () => {
    const text = WHOLE.join("\n");
    for (let length = 0; length < text.length; length += 7) {
      expect(() => parseFacts(text.slice(0, length))).toThrow("the host's answer broke off");
    }
    expect(parseFacts(`${text}\n`).current?.release).toMatch(/^[0-9a-f]{12}$/);
  });

  it("is why it cannot be deployed to", () => {
    const noEngine = parse("error no Docker engine answers on the host: permission denied");
    expect(noEngine.errors).toEqual(["no Docker engine answers on the host: permission denied"]);
    // Nothing else is known then.
    expect(noEngine.known).toBe(false);
    const noTool = parse("engine linux/amd64 20", "error the host lacks the command flock", "ours 0", "end");
    expect([noTool.errors, noTool.known]).toEqual([["the host lacks the command flock"], true]);
  });

  const record = (text: string) => Buffer.from(text).toString("base64");
  it.each([
    ["a memory that is none", ["memory lots 5", "end"], 'the host\'s answer is damaged: memory "lots"'],
    ["a count that is none", ["seen web-1 abc", "end"], 'the host\'s answer is damaged: seen ""'],
    [
      "an epoch that is none",
      ["current release a", `current record ${record("{}")}`, "current epoch x", "end"],
      'the host\'s answer is damaged: epoch "x"',
    ],
    [
      "no epoch",
      ["current release a", `current record ${record("{}")}`, "end"],
      'the host\'s answer is damaged: epoch ""',
    ],
    [
      "a record that is no JSON",
      ["current release a", "current epoch 1", `current record ${record("{")}`, "end"],
      "is damaged (its file `current`)",
    ],
    [
      "a record of another shape",
      ["current release a", "current epoch 1", `current record ${record('{"site":5}')}`, "end"],
      "is damaged (its file `current`)",
    ],
  ])("%s is an error", (_, lines, message) => {
    expect(() => parse("engine linux/amd64 20", ...lines)).toThrow(message);
  });

  it("may hold lines that nobody knows", () => {
    const [first = "", ...more] = WHOLE;
    expect(parse(first, "weather sunny", "current weather sunny", ...more).current).toEqual(
      parse(...WHOLE).current,
    );
  });
});

describe("how often a thing was made", () => {
  const facts = parse(
    "engine linux/amd64 20",
    "container abc web-000000000001 service exited",
    "image shop/test/web:1",
    "seen web-000000000001 abc 2",
    "seen web-000000000002 gone 0",
    "seen image:shop/test/web:1 shop/test/web:1 1",
    "seen image:shop/test/web:2 shop/test/web:2 3",
    "end",
  );
  it.each([
    ["never seen", "web-000000000009", 0],
    ["there, if stopped", "web-000000000001", 2],
    ["a container that is gone: once more", "web-000000000002", 1],
    ["an image that is there", "image:shop/test/web:1", 1],
    ["an image that is gone: once more", "image:shop/test/web:2", 4],
  ])("%s", (_, key, made) => {
    expect(generation(facts, key)).toBe(made);
  });

  it("is not known without a host", () => {
    expect(generation(NO_FACTS, "web-000000000001")).toBe(0);
  });
});

describe("the memory of a host", () => {
  const facts = (total: number, used: number, ours: number) => ({
    ...NO_FACTS,
    memory: { total, used, ours },
  });

  it("is what others leave of it, of the least that is told", () => {
    expect(budget(facts(1024 * 1024, 500 * 1024, 200 * 1024), undefined)).toEqual({
      total: 1024,
      others: 300,
    });
    expect(budget(facts(1024 * 1024, 500 * 1024, 200 * 1024), 512)).toEqual({ total: 512, others: 300 });
    expect(budget(facts(1024 * 1024, 500 * 1024, 200 * 1024), 4096)?.total).toBe(1024);
    expect(budget(NO_FACTS, 512)).toBeUndefined();
  });

  it("is rounded to the safe side", () => {
    expect(budget(facts(1024 * 1024 - 1, 100, 0), undefined)).toEqual({ total: 1023, others: 1 });
    // Measured at two moments: ours may be the larger.
    expect(budget(facts(1024 * 1024, 100, 200), undefined)?.others).toBe(0);
  });

  it("has this left", () => {
    expect(headroom({ total: 1000, others: 300 }, 600)).toBe(100);
    expect(headroom({ total: 1000, others: 300 }, 800)).toBe(-100);
  });
});

describe("the order of starts", () => {
  const start: fc.Arbitrary<Omit<Start, "name">> = fc.record({
    memory: fc.integer({ min: 1, max: 10 }),
    replaces: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    order: fc.constantFrom("auto", "start-first", "stop-first"),
  });
  const starts = fc
    .array(start, { maxLength: 5 })
    .map((all) => all.map((one, i): Start => ({ ...one, name: `s${i}` })));

  it("is what is configured, and never takes more than there is by its own choice", () => {
    fc.assert(
      fc.property(starts, fc.integer({ min: 0, max: 60 }), (all, total) => {
        const running = all.reduce((sum, { replaces = 0 }) => sum + replaces, 0);
        const chosen = chooseOrders(all, running, { total, others: 0 });
        /** The most that runs at once: first all that start beside, then one after the other. */
        const peak = (orderOf: (one: Start) => string | undefined): number => {
          let now = all
            .filter((one) => orderOf(one) === "start-first")
            .reduce((sum, { memory }) => sum + memory, running);
          return all
            .filter((one) => orderOf(one) === "stop-first")
            .reduce((most, { memory, replaces = 0 }) => Math.max(most, (now += memory - replaces)), now);
        };
        const frugal = peak(({ order, replaces }) =>
          replaces === undefined || order === "start-first" ? "start-first" : "stop-first",
        );
        expect(peak(({ name }) => chosen.get(name)?.order)).toBeLessThanOrEqual(Math.max(total, frugal));
        for (const { name, order, replaces } of all) {
          const now = chosen.get(name);
          if (order !== "auto" && replaces !== undefined) expect(now?.order).toBe(order);
          if (replaces === undefined) expect(now?.order).toBe("start-first");
          // Who could have started beside what it replaces does.
          if (order === "auto" && now?.order === "stop-first") expect(now.headroom).toBeLessThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
