import { afterAll, describe, expect, it } from "vitest";
import { parseMet } from "../../plan/found/met";
import { prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { plain } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// What visitors met while a release ran: read from nginx's own lines, counted, kept, and held against the budget.

afterAll(removeWorlds);

const BEGAN = 1_795_000_000;
interface Line {
  readonly at: number;
  readonly seconds?: number;
  readonly status?: number;
  readonly held?: number;
  readonly upstream?: string;
}
const line = ({ at, seconds = 0.01, status = 200, held = 0, upstream = String(status) }: Line): string =>
  `{"at":${at.toFixed(3)},"seconds":${seconds.toFixed(3)},"status":${status},"held":${held},"upstream":"${upstream}","bytes":5,` +
  `"time":"2026-11-18T10:00:00+00:00","service":"web","container":"web-1","method":"GET","host":"a:1,b","path":"/"}`;

/** Counts these lines, with requests going to the new release ten seconds after the beginning. */
async function counted(lines: readonly Line[], broken = 0): Promise<string[]> {
  const world = World.create();
  world.write("visited", lines.map((one) => `${line(one)}\n`).join(""));
  const { output } = await world.eval(
    `met_at=${BEGAN}.5 met_routed=${BEGAN + 10}.25; count_visited ${broken} <${world.dir}/visited`,
  );
  return output.trim().split("\n");
}

describe("the count of what visitors met", () => {
  it("tells nobody's answers from a service's own, and those before the release from those after", async () => {
    const at = BEGAN + 5;
    expect(
      await counted(
        [
          { at: BEGAN - 3, status: 500 },
          { at: BEGAN - 2 },
          { at, status: 502 },
          { at, status: 504, upstream: "504" },
          { at, status: 503, upstream: "" },
          { at, status: 503 },
          { at, status: 500 },
          { at, status: 404 },
          { at: BEGAN + 11 },
        ],
        2,
      ),
    ).toEqual([
      "visitors 7",
      "failed 5",
      "errors 2",
      "held 0 0.00",
      "met-before 2 1 10 10",
      "met-during 6 10 10",
      "met-after 1 10 10",
    ]);
  });

  it("knows how many waited, how long at most, and the medians and the slowest hundredth of each part", async () => {
    const during = Array.from({ length: 100 }, (_, i) => ({ at: BEGAN + 5, seconds: (i + 1) / 1000 }));
    const told = await counted([
      ...during,
      { at: BEGAN + 20, seconds: 1.6, held: 1.52 },
      { at: BEGAN + 20, seconds: 0.4, held: 0.25 },
    ]);
    expect(told).toContain("held 2 1.52");
    expect(told).toContain("met-during 100 50 99");
    expect(told).toContain("met-after 2 400 1600");
    expect(told).toContain("met-before 0 0 0 0");
  });

  it("knows the longest time without an answer, at the end too", async () => {
    const world = World.create();
    world.write("probed", ["100 200", "110 404", "115 502", "120 000", "190 200", "200 302", ""].join("\n"));
    const { output } = await world.eval(
      `now() { echo 250; }; met_began=90; count_probed <${world.dir}/probed`,
    );
    expect(output).toBe("probed 6 2 0.80\n");
    world.write("probed", "");
    expect((await world.eval(`met_began=90; count_probed <${world.dir}/probed`)).output).toBe("");
  });
});

const NOW = Date.now() / 1000;

describe.concurrent("a release", () => {
  /** One of web's, while visitors ask. */
  async function met(lines: readonly Line[], budget?: object) {
    const { world, before } = await serves(plain());
    const start = serving(world);
    const proxy = before.keys.find((key) => key.startsWith("proxy-")) ?? "";
    world.write(`${world.containerOf(proxy)}/visited`, lines.map((one) => `${line(one)}\n`).join(""));
    const next = prepare(world, plain(2, 1, budget === undefined ? {} : { budget }));
    const outcome = await release(world, next);
    expect(violations(world)).toEqual([]);
    const [entry] = (await world.facts()).ledger;
    return { ...outcome, entry, same: JSON.stringify(serving(world)) === JSON.stringify(start) };
  }
  const later = NOW + 3600;

  it("says what its visitors met, and the ledger keeps it", async () => {
    const { code, output, entry } = await met([
      { at: NOW - 3600 },
      { at: later },
      { at: later, held: 0.35, seconds: 0.4 },
    ]);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^visitors: 2 requests, 0 failed, 1 waited for at most 0\.35 s; memory at most \d+ of \d+ MiB$/m,
    );
    expect(entry?.met).toMatchObject({
      visitors: 2,
      failed: 0,
      held: 1,
      heldFor: 0.35,
      before: { requests: 1 },
      after: { requests: 2, p50: 10, p99: 400 },
      probed: undefined,
    });
    expect(output).not.toContain("budget");
  });

  it("over its budget is taken back, with the figures", async () => {
    const { code, output, entry, same } = await met([{ at: later, status: 502 }], {
      failed: 0,
      level: "fail",
    });
    expect(code).toBe(1);
    expect(output).toContain("over budget: 1 requests failed, budget.failed is 0");
    expect(output).toContain("FAILED: budget");
    expect(same).toBe(true);
    expect(entry).toMatchObject({ result: "failed", met: { visitors: 1, failed: 1 } });
    expect(entry?.reason).toContain("over budget: 1 requests failed");
  });

  it("over a budget that only warns says so, and serves", async () => {
    const { code, output, same } = await met([{ at: later, status: 502 }], { failed: 0 });
    expect({ code, same }).toEqual({ code: 0, same: false });
    expect(output).toContain("over budget: 1 requests failed, budget.failed is 0");
  });

  it("is not blamed for what a service answered before as often", async () => {
    const errors = (at: number) => [0, 1].flatMap(() => [{ at }, { at, status: 500 }]);
    const { code, output } = await met([...errors(NOW - 10), ...errors(later)], { failed: 0, level: "fail" });
    expect(output).not.toContain("over budget");
    expect(code).toBe(0);
    const worse = await met([...errors(NOW - 10), ...errors(later), { at: later, status: 500 }], {
      failed: 0,
    });
    expect(worse.output).toContain("over budget: 1 requests failed");
  });
});

describe("what is kept of it", () => {
  it("is nothing in an entry of an older program", () => {
    expect(parseMet(() => undefined)).toBeUndefined();
  });
});
