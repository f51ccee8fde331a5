import { resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepare, release } from "./lib/release";
import { SCENARIOS, type Scenario, type Stage, stage } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { name } from "./lib/story";
import { atOnce, eventually } from "./lib/wait";
import { type Fault, removeWorlds, type World } from "./lib/world";

// The runner is killed at each call that changes something. Killed alone, its guard takes the release back at once;
// where the guard dies too, what comes next, the way back or the same release again, first puts right what was left.

afterAll(removeWorlds);

type Way = "reverted" | "tried again";

/**
 * A kill at each changing call of an undisturbed run: of the runner alone or of all that it started, before the call
 * or after it. What comes next alternates, so that each verb's half-done work is met by both.
 */
async function kills({ world, next }: Stage): Promise<{ fault: Fault; then: Way }[]> {
  const rehearsal = world.clone();
  await release(rehearsal, next);
  const calls = rehearsal.lines("calls");
  const points = calls.flatMap((call, index) => {
    const at = calls.slice(0, index + 1).filter((one) => one === call).length;
    // Two restart policies are changed together, and nobody reads a new site's files before nginx is told.
    const policies = call.startsWith("policy ") && calls[index + 1]?.startsWith("policy ");
    const unread = call === "write routes.js" || call === "write next.conf";
    return policies || unread ? [] : [{ call, at }];
  });
  return points.map(({ call, at }, index) => ({
    fault: {
      call,
      at,
      happens: index % 3 === 0 ? "slay" : "slay-after",
      words: index % 4 < 2 ? "alone" : "group",
    },
    then: index % 2 === 0 ? "reverted" : "tried again",
  }));
}

async function kill(staged: Stage, fault: Fault): Promise<World> {
  const world = staged.world.clone();
  world.fault(fault);
  const { code, output } = await release(world, staged.next);
  const where = `${fault.happens} ${name(fault.call, staged.before, staged.next)} (${fault.at})\n${output}`;
  expect(code, where).toBe(1);
  if (guarded(fault)) {
    expect(output, where).toMatch(/the runner on the host was killed\nan earlier release was interrupted/);
    expect(output, where).toMatch(
      / serves(, as before: .*\nNothing of the new|\. Run 'pulumi up' again: it tidies)/,
    );
    expect(world.read("state/test/journal"), where).toBeUndefined();
  } else {
    expect(output, where).toMatch(
      /the runner on the host was killed\. Run 'pulumi up' again: it first puts right what was left half done\.\n$/,
    );
  }
  await eventually(() => {
    expect(world.lockIsFree(), where).toBe(true);
  });
  return world;
}

/** Whether the one that guards the runner lives on. */
function guarded({ words }: Fault): boolean {
  return words === "alone";
}

/** A restart of the machine, before anybody deploys again: the old version or the new one, whole, and not both. */
function expectServesAfterReboot({ before, next }: Stage, world: World): void {
  // For an instant what comes back is not what is routed to: nothing can change both at once.
  if (/promote .*\n(begin .* route .*\n)?$/.test(world.read("state/test/journal") ?? "")) return;
  const up = world.upAfterReboot();
  const known = new Set([...(before?.keys ?? []), ...next.keys]);
  for (const service of ["database", "proxy"]) {
    const versions = [...known].filter((key) => key.startsWith(`${service}-`));
    if (versions.length === 0) continue;
    expect(
      versions.filter((key) => up.has(key)),
      `${service} after a reboot`,
    ).toHaveLength(1);
  }
  const routes = JSON.parse(world.read("volumes/proxy/routes.json") ?? "") as {
    live: Record<string, string>;
    fallback?: Record<string, string>;
  };
  for (const [service, target] of Object.entries(routes.live)) {
    const [key = ""] = (target === "hold" ? (routes.fallback?.[service] ?? "") : target).split(":");
    expect([...up], `${service} goes to ${target} after a reboot`).toContain(key);
  }
}

function recorded({ next }: Stage, world: World): boolean {
  return serving(world).current?.includes(`release ${next.plan.release}\n`) ?? false;
}

/** What is wanted serves, nothing else is left, and a further `up` would change nothing. */
function expectConverged(world: World, scenario: Scenario, config: Scenario["to"]): void {
  const { plan, keys } = prepare(world, config, scenario.script);
  const end = serving(world);
  expect(end).toMatchObject({ journal: undefined, lockIsFree: true });
  expect(end.running).toEqual(keys.filter((key) => !key.includes("-migrate-")).sort());
  expect(
    world
      .containers()
      .map(({ key }) => key)
      .sort(),
  ).toEqual([...keys].sort());
  expect(end.current).toContain(`release ${plan.release}\nepoch ${plan.epoch}\n`);
  expect(end.proxy?.loadedSite).toBe(plan.texts.site ?? end.proxy?.site);
  expect((end.password ?? "").split("\n").filter(Boolean).length, "logins").toBeLessThanOrEqual(1);
  expect(violations(world)).toEqual([]);
}

const scenarios = [SCENARIOS.exchange, SCENARIOS.password, SCENARIOS.proxy] as Scenario[];

describe.concurrent.each(scenarios)("$name", (scenario) => {
  it.each<Way>(["reverted", "tried again"])("killed at every other step, then %s", async (way) => {
    const staged = await stage(scenario);
    const start = serving(staged.world);
    const config = way === "reverted" ? (scenario.from ?? scenario.to) : scenario.to;
    const mine = (await kills(staged)).filter(({ then }) => then === way);
    await atOnce(2, mine, async ({ fault }) => {
      const world = await kill(staged, fault);
      expectServesAfterReboot(staged, world);
      if (guarded(fault) && !recorded(staged, world)) expect(serving(world)).toEqual(start);
      const { code, output } = await release(world, prepare(world, config));
      expect(code, output).toBe(0);
      expect(output.includes("an earlier release was interrupted")).toBe(!guarded(fault));
      expectConverged(world, scenario, config);
      if (way === "reverted") {
        const { password, proxy } = serving(world);
        expect(password).toBe(start.password);
        expect(proxy?.loadedSite).toBe(start.proxy?.loadedSite);
      }
    });
  });
});

describe.concurrent("killed", () => {
  it("between the new record and the journal's note of it: the release stands", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    // The runner dies right after `current` was replaced.
    world.tool(
      "mv",
      `#!/bin/sh
/bin/mv "$@"
world=$FAKE_WORLD
. ${resolve(__dirname, "fake-docker/engine/world.sh")}
case $2 in */current) slay group ;; esac
`,
    );
    expect((await release(world, next)).code).toBe(1);
    world.tool("mv", `#!/bin/sh\nexec /bin/mv "$@"\n`);
    expect((await world.facts()).interrupted).toBe(true);
    const again = prepare(world, SCENARIOS.both.to);
    const { code, output } = await release(world, again);
    expect(output).toContain("an earlier release was interrupted after it had succeeded: tidying up");
    expect(code).toBe(0);
    expectConverged(world, SCENARIOS.both, SCENARIOS.both.to);
  });

  it("while a migration runs: the lock is free at once, and the next run stops it", async () => {
    const { world, before, next } = await stage(SCENARIOS.migration);
    const migration = next.keys.find((key) => key.startsWith("api-migrate-")) ?? "";
    world.behave(migration, "endless");
    const run = world.start("deploy", next.lines);
    await eventually(() => {
      expect(world.containers().find(({ key }) => key === migration)?.state).toBe("running");
    });
    process.kill(world.runnerPid(), "SIGKILL");
    expect((await run.ended).code).toBe(1);
    expect(world.lockIsFree()).toBe(true);
    const back = prepare(world, SCENARIOS.migration.from);
    const { code, output } = await release(world, back);
    expect(code, output).toBe(0);
    expect(world.lines("calls")).toContain(`stop ${migration}`);
    expect(before).toBeDefined();
    expectConverged(world, SCENARIOS.migration, SCENARIOS.migration.from);
  });

  it("the caller is, in the middle: the runner ends the release by itself", async () => {
    const { world, next } = await stage(SCENARIOS.both);
    world.fault({ call: "start *", at: 2, happens: "hang", words: "0.5" });
    const run = world.start("deploy", next.lines);
    await eventually(() => {
      expect(world.lines("calls")).toHaveLength(2);
    });
    // As when ssh ends: everything of the caller's session goes, the runner has one of its own.
    process.kill(-Number(run.process.pid), "SIGKILL");
    expect((await run.ended).code).toBe(null);
    await eventually(() => {
      expect(world.lastResult()).toBe("0\n");
    });
    expectConverged(world, SCENARIOS.both, SCENARIOS.both.to);
  });
});
