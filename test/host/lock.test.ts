import { afterAll, describe, expect, it } from "vitest";
import { prepare, release } from "./lib/release";
import { SCENARIOS, stage } from "./lib/scenarios";
import { violations } from "./lib/serving";
import { eventually } from "./lib/wait";
import { removeWorlds, type Running, type World } from "./lib/world";

// One release at a time; whoever comes second waits, and is told for whom.

afterAll(removeWorlds);

/** A release that takes some seconds more than it must, caught in the middle. */
async function busy(
  seconds: string,
): Promise<{ world: World; lines: readonly string[]; run: Running; holder: RegExp }> {
  const { world, next } = await stage(SCENARIOS.both);
  world.fault({ call: "start *", happens: "hang", words: seconds });
  const run = world.start("deploy", next.lines);
  await eventually(() => {
    expect(world.lines("calls")).toHaveLength(1);
  });
  const holder = new RegExp(
    `release ${next.plan.release} by tester@desk, since 20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\w+, now starting [a-z]+-[0-9a-f]{12}`,
  );
  return { world, lines: next.lines, run, holder };
}

describe.concurrent("while a release is at work", () => {
  it("a second one waits as long as configured, then says who holds the lock, and changes nothing", async () => {
    const { world, lines, run, holder } = await busy("2.5");
    const second = await world.run("deploy", lines, 1);
    expect(second.code).toBe(1);
    const [waiting, still, ...rest] = second.output.split("\n");
    expect(waiting).toMatch(new RegExp(`^waiting for another release: ${holder.source}`));
    expect(still).toMatch(new RegExp(`^another release is still at work: ${holder.source}`));
    expect(rest).toEqual(["Nothing was changed. Run 'pulumi up' again when it is done.", ""]);
    expect(world.lines("calls")).toHaveLength(1);
    expect((await run.ended).code).toBe(0);
    expect(violations(world)).toEqual([]);
  });

  it("a second one that may not wait is refused at once", async () => {
    const { world, lines, run } = await busy("1");
    const second = await world.run("deploy", lines, 0);
    expect(second.code).toBe(1);
    expect(second.output).not.toContain("flock:");
    expect(world.lines("calls")).toHaveLength(1);
    await run.ended;
  });

  it("a second one with time enough is refused all the same: its plan was made before the first one", async () => {
    const { world, lines, run } = await busy("0.5");
    const second = await world.run("deploy", lines, 60);
    expect(second.output).toContain("waiting for another release: ");
    expect(second.output).toMatch(
      /another release was made after this one was planned: now \w+ serves\. Nothing was changed\./,
    );
    expect(second.code).toBe(1);
    expect((await run.ended).code).toBe(0);
    const calls = world.lines("calls");
    expect((await release(world, prepare(world, SCENARIOS.both.to))).code).toBe(0);
    expect(world.lines("calls")).toEqual(calls);
    expect(violations(world)).toEqual([]);
  });

  it("a second one with time enough goes on when the first one was taken back", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    world.fault({ call: "start *", happens: "hang", words: "0.5" });
    const smoke = next.lines.map((line) =>
      line.startsWith("smoke ") ? line.replace(/ \d{3} /, " 418 ") : line,
    );
    const run = world.start("deploy", smoke);
    await eventually(() => {
      expect(world.lines("calls")).toHaveLength(1);
    });
    const second = await world.run("deploy", next.lines, 60);
    expect((await run.ended).code).toBe(1);
    expect(second.output).toContain("waiting for another release: ");
    expect(second.code).toBe(0);
    expect(violations(world)).toEqual([]);
  });

  it("the facts tell who it is, and wait for its end when they may", async () => {
    const { world, run, holder } = await busy("1");
    const during = await world.facts(0);
    expect(during.active).toMatch(holder);
    expect(during.interrupted).toBe(true);
    const after = await world.facts(60);
    expect(after).toMatchObject({ active: undefined, interrupted: false });
    expect((await run.ended).code).toBe(0);
  });

  it("teardown waits for it, and leaves nothing that a release which waited could start", async () => {
    const { world, lines, run } = await busy("1");
    const teardown = world.start("teardown", []);
    expect((await run.ended).code).toBe(0);
    expect((await teardown.ended).code).toBe(0);
    expect(world.containers()).toEqual([]);
    // Its containers are gone, so a release of the same plan cannot succeed, and must not half succeed.
    const late = await world.run("deploy", lines);
    expect(late.code).toBe(1);
    expect(world.containers()).toEqual([]);
  });
});

it("a lock whose holder was killed is free", async () => {
  const { world, next } = await stage(SCENARIOS.both);
  world.fault({ call: "start *", happens: "slay", words: "group" });
  await release(world, next);
  const facts = await world.facts();
  expect(facts).toMatchObject({ active: undefined, interrupted: true });
  const { code, output } = await release(world, prepare(world, SCENARIOS.both.to));
  expect(output).not.toContain("waiting for another release");
  expect(code).toBe(0);
});
