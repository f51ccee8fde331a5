import { afterAll, describe, expect, it } from "vitest";
import { faultIn } from "./lib/faults";
import { prepare, release } from "./lib/release";
import { SCENARIOS, type Scenario, type Stage, stage } from "./lib/scenarios";
import { serving, type Serving, violations } from "./lib/serving";
import { atOnce } from "./lib/wait";
import { removeWorlds, type World } from "./lib/world";

// Each step of each kind of plan fails once: what served serves on, and the same plan succeeds when tried again.

afterAll(removeWorlds);

/** What must serve after an undo: what the last release recorded, also when it was not whole at the start. */
function startingState({ world, before }: Stage): Serving {
  const now = serving(world);
  if (before === undefined) return now;
  return { ...now, running: before.keys.filter((key) => !key.includes("-migrate-")).sort() };
}

/** Those that together have every verb in every place; the others are parts of them. */
const scenarios: Scenario[] = [
  SCENARIOS.first,
  SCENARIOS.both,
  SCENARIOS.exchange,
  SCENARIOS.password,
  SCENARIOS.proxy,
  SCENARIOS.site,
  SCENARIOS.removed,
  SCENARIOS.repair,
  SCENARIOS.drift,
];

describe.concurrent.each(scenarios)("$name", (scenario) => {
  it("failing at each step in turn leaves what served, and then succeeds", async () => {
    const staged = await stage(scenario);
    const { before, next } = staged;
    const start = startingState(staged);
    const untilRecord = next.plan.steps.slice(
      0,
      next.plan.steps.findIndex(({ verb }) => verb === "record"),
    );
    const faults = untilRecord.flatMap(({ verb, arguments: words }, index) => {
      const fault = faultIn(next.plan.steps, index, scenario.to.smoke.length, before !== undefined);
      return fault === undefined ? [] : [{ fault, verb, failed: `${verb} ${words.join(" ")}` }];
    });
    expect(faults.map(({ verb }) => verb)).toEqual(
      untilRecord.map(({ verb }) => verb).filter((verb) => !["drain", "rejoin"].includes(verb)),
    );

    const failing = async (world: World, { fault, failed }: (typeof faults)[number]): Promise<void> => {
      world.fault(fault);
      const { code, output } = await release(world, next);
      expect(output).toContain(`FAILED: ${failed}`);
      expect(output).toContain("taking the release back");
      expect(output).not.toContain("could not undo");
      expect(output).toContain(
        before === undefined
          ? "nothing serves yet: this was the first release"
          : `release ${before.plan.release} serves, as before: `,
      );
      expect(output).toMatch(/run 'pulumi up' again, or revert the change\.\n$/);
      expect(code).toBe(1);
      expect({ failed, ...serving(world) }).toEqual({ failed, ...start });
      expect(violations(world)).toEqual([]);
    };
    // Two hosts share the steps; each failure begins where the one before it has left its host.
    const hosts = [staged.world, staged.world.clone()];
    await atOnce(2, hosts, async (world) => {
      const mine = faults.filter((_, index) => index % 2 === hosts.indexOf(world));
      for (const one of mine) await failing(world, one);
    });

    const { world } = staged;
    const { code, output } = await release(world, next);
    expect(output).not.toMatch(/FAILED|could not/);
    expect(code).toBe(0);
    const end = serving(world);
    expect(end).toMatchObject({ journal: undefined, lockIsFree: true });
    expect(end.running).toEqual(next.keys.filter((key) => !key.includes("-migrate-")).sort());
    expect(end.current).toContain(`release ${next.plan.release}\n`);
    expect(violations(world)).toEqual([]);
  });
});

describe.concurrent("after the commit", () => {
  it.each(["stop", "remove"])("a %s that fails is no failure, and the next run tidies up", async (verb) => {
    const { world, next } = await stage(SCENARIOS.both);
    const { steps } = next.plan;
    const record = steps.findIndex((step) => step.verb === "record");
    const index = steps.findIndex((step, at) => at > record && step.verb === verb);
    const fault = faultIn(steps, index, 0, true);
    if (fault === undefined) throw new Error("no fault");
    world.fault(fault);
    const { code, output } = await release(world, next);
    expect(code).toBe(0);
    expect(output).toContain(`could not tidy up (${verb} `);
    expect(serving(world)).toMatchObject({ journal: undefined, lockIsFree: true });
    // Where the graceful stop failed, the removal kills: that is what the fake docker tells of.
    const again = prepare(world, SCENARIOS.both.to);
    expect((await release(world, again)).code).toBe(0);
    expect(
      world
        .containers()
        .map(({ key }) => key)
        .sort(),
    ).toEqual([...again.keys].sort());
    expect(prepare(world, SCENARIOS.both.to).plan.epoch).toBe(again.plan.epoch);
    expect(world.lines("refused")).toEqual([]);
  });
});
