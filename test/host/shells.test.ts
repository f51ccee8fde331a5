import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { hostScript } from "../../host/bundle";
import { faultIn } from "./lib/faults";
import { deployed, prepare, release } from "./lib/release";
import { SCENARIOS, type Scenario, stage } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { type ShellName, whyMissing } from "./lib/shells";
import { full, stored } from "./lib/stacks";
import { eventually } from "./lib/wait";
import { removeWorlds, World } from "./lib/world";

// The other tests run under dash, Debian's sh. These run the richest plans under the sh of other hosts.

afterAll(removeWorlds);

const shells: ShellName[] = ["bash", "busybox"];

for (const shell of shells) {
  const missing = whyMissing(shell);
  const title = missing === undefined ? `under ${shell}` : `under ${shell} (skipped: ${missing})`;
  (missing === undefined ? describe.concurrent : describe.skip)(title, () => {
    it("a first release, its facts, and the teardown", async () => {
      const world = World.create(shell);
      const { plan } = await deployed(world, full());
      const facts = await world.facts();
      expect(facts.current?.release).toBe(plan.release);
      expect(facts.memory?.total).toBeGreaterThan(0);
      expect(prepare(world, full()).plan.epoch).toBe(plan.epoch);
      world.write("volumes.list", "shop-test-database shop/test data\n");
      expect(await world.run("teardown")).toMatchObject({ code: 0, output: /^kept: the data volume/ });
      expect(violations(world)).toEqual([]);
    });

    it("every kind of exchange fails late, is taken back, then succeeds", async () => {
      const scenario: Scenario = SCENARIOS.password;
      const { world, next } = await stage(scenario, shell);
      const start = serving(world);
      const { steps } = next.plan;
      const last = steps.map(({ verb }) => verb).lastIndexOf("smoke");
      const fault = faultIn(steps, last, scenario.to.smoke.length, true);
      if (fault === undefined) throw new Error("no fault");
      world.fault(fault);
      const failed = await release(world, next);
      expect(failed.output).toContain("FAILED: smoke live");
      expect(failed.output).toMatch(/release \w+ serves, as before: /);
      expect(failed.code).toBe(1);
      expect(serving(world)).toEqual(start);
      const { code, output } = await release(world, next);
      expect(output).not.toMatch(/FAILED|could not|not found|invalid|illegal/);
      expect(code).toBe(0);
      expect(violations(world)).toEqual([]);
    });

    it("killed in the middle, then reverted; then a crash, and a second release meanwhile", async () => {
      const { world, next } = await stage(SCENARIOS.password, shell);
      world.fault({ call: "stop database-*", happens: "slay-after", words: "alone" });
      const killed = await release(world, next);
      expect(killed.output).toMatch(/^the runner on the host was killed$[^]*^taking the release back$/m);
      expect(world.lockIsFree()).toBe(true);
      const back = prepare(world, SCENARIOS.password.from);
      expect((await release(world, back)).code).toBe(0);

      const crashing = prepare(world, stored(2));
      world.behave(
        crashing.keys.find((key) => key.startsWith("api-") && !key.includes("migrate")) ?? "",
        "crash",
      );
      world.write("calls", "");
      world.fault({ call: "start api-migrate*", happens: "hang", words: "2.5" });
      const run = world.start("deploy", crashing.lines);
      await eventually(() => {
        expect(world.lines("calls")).toHaveLength(1);
      });
      const second = await world.run("deploy", crashing.lines, 1);
      expect(second.output).toMatch(/^waiting for another release: .*\nanother release is still at work: /);
      expect(second.code).toBe(1);
      expect((await run.ended).output).toMatch(/stopped by itself \(exited, exit code 3\)/);
      expect(violations(world)).toEqual([]);
    });
  });
}

describe("the whole script", () => {
  it("has nothing that shellcheck minds", (context) => {
    const script = hostScript("deploy", World.create().stackLines());
    const { status, stdout, error } = spawnSync(
      "shellcheck",
      // As host/.shellcheckrc; and where xargs calls docker, the client itself is meant, not the function.
      ["-s", "sh", "-e", "SC2154,SC2034,SC2016,SC2032,SC2033", "-"],
      { input: script, encoding: "utf8" },
    );
    if (error !== undefined) context.skip("shellcheck is not installed");
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});
