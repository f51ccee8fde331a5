import { afterAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import { nextRun, plainSchedule } from "../../plan/config/schedule";
import { parseFacts } from "../../plan/found/answer";
import { deployed, prepare, release } from "./lib/release";
import type { ShellName } from "./lib/shells";
import { whyMissing } from "./lib/shells";
import { config, webService } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// The crontab as a release writes it, and when a job is due; that cron itself starts them is in the end-to-end tests.

afterAll(removeWorlds);

const MINE = "5 4 * * * true # mine\n@reboot echo 'not ours'\n";

/** A crontab in a file; `denied` says no, and what there is not is said in the words of this cron. */
function withCron(world: World, none: string): void {
  world.tool(
    "crontab",
    `#!/bin/sh
table=${world.dir}/crontab
[ ! -e ${world.dir}/denied ] || { echo "You (tester) are not allowed to use this program (crontab)" >&2; exit 1; }
case $1 in
  -l) [ -e $table ] || { echo "${none}" >&2; exit 1; }; cat $table ;;
  *) cat "$1" >$table ;;
esac
`,
  );
}

const stack = (jobs: Record<string, unknown>, web = 1) =>
  config({ services: { web: webService(web) }, jobs });
const tidy = { service: "web", command: ["tidy"], schedule: "*/20 3 * * *" };
const pack = { service: "web", command: ["pack"], schedule: "10 5 * * 1", zone: "Europe/Moscow" };

const shells: ShellName[] = ["dash", "bash", "busybox"];
for (const shell of shells.filter((one) => whyMissing(one) === undefined))
  describe.concurrent(`the crontab, under ${shell}`, () => {
    it.each(["no crontab for root", "crontab: can't open 'root': No such file or directory"])(
      "where there was none (%s): written, rewritten, taken out again",
      async (none) => {
        const world = World.create(shell);
        withCron(world, none);
        await deployed(world, stack({ tidy, pack }));
        const script = `${world.dir}/state/test/jobs/script`;
        const lines = () => world.lines("crontab");
        expect(lines()).toEqual([
          expect.stringMatching(/^# >>> jobs of shop\/test \(/),
          `10,25,40,55 * * * * sh ${script} run_job pack due`,
          `0,20,40 3 * * * sh ${script} run_job tidy`,
          "# <<< jobs of shop/test",
        ]);
        expect((await world.facts()).cron).toEqual({ state: "same", why: "", lackingZones: [] });
        expect((await release(world, prepare(world, stack({ tidy }, 2)))).code).toBe(0);
        expect(lines()).toHaveLength(3);
        expect((await release(world, prepare(world, stack({}, 2)))).code).toBe(0);
        expect(lines()).toEqual([]);
      },
    );

    it("keeps what others have in it, also where a line of ours was lost, and goes with the stack", async () => {
      const world = World.create(shell);
      withCron(world, "no crontab for root");
      world.write("crontab", MINE);
      await deployed(world, stack({ tidy }));
      const [mine, reboot, begin, line] = world.lines("crontab");
      world.write("crontab", [mine, begin, line, reboot].join("\n"));
      expect((await world.facts()).cron?.state).toBe("other");
      expect((await release(world, prepare(world, stack({ tidy }, 2)))).code).toBe(0);
      expect(world.lines("crontab").slice(0, 2)).toEqual([mine, reboot]);
      expect(world.lines("crontab")).toHaveLength(5);
      expect((await world.run("teardown")).code).toBe(0);
      expect(world.read("crontab")).toBe(MINE);
    });

    it("is as before when a release is taken back", async () => {
      const world = World.create(shell);
      withCron(world, "no crontab for root");
      world.write("crontab", MINE);
      await deployed(world, stack({ tidy }));
      const before = world.read("crontab");
      const next = prepare(world, stack({ pack }, 2));
      world.write("state/test/current.new", "");
      world.tool("mv", `#!/bin/sh\ncase $2 in */current) exit 1 ;; esac\nexec /bin/mv "$@"\n`);
      const { code, output } = await release(world, next);
      expect([code, output]).toEqual([1, expect.stringContaining("FAILED: record")]);
      expect(world.read("crontab")).toBe(before);
    });

    it("that may not be used fails the release, and nothing in it is lost", async () => {
      const world = World.create(shell);
      withCron(world, "no crontab for root");
      world.write("crontab", MINE);
      world.write("denied", "");
      const { code, output } = await release(world, prepare(world, stack({ tidy })));
      expect(code).toBe(1);
      expect(output).toMatch(/the crontab of \S+ cannot be read: You \(tester\) are not allowed/);
      expect(world.read("crontab")).toBe(MINE);
      const facts = parseFacts((await world.run("facts", ["jobs asked", "zone Mars/Olympus"])).output);
      expect(facts.cron).toEqual({
        state: "denied",
        why: "You (tester) are not allowed to use this program (crontab)",
        lackingZones: ["Mars/Olympus"],
      });
    });
  });

describe("a job with a time zone", () => {
  it("is due exactly when its schedule says so, whatever the zone of the host", async () => {
    const world = World.create("dash");
    const field = (least: number, most: number) =>
      fc.oneof(
        fc.constant("*"),
        fc.constant("*/7"),
        fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 }).map(String),
      );
    const schedule = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(" "));
    const zone = fc.constantFrom("Europe/Moscow", "America/New_York", "Asia/Kathmandu", "UTC");
    const minute = fc.integer({ min: 29_000_000, max: 30_000_000 });
    const cases = fc
      .sample(fc.tuple(schedule, zone, minute), { numRuns: 300, seed: 7 })
      .flatMap(([text, where, at]) => {
        const due = nextRun(text, where, new Date(at * 60_000));
        // One that is due, and one that perhaps is not.
        return [[text, where, due.getTime() / 1000] as const, [text, where, at * 60] as const];
      });
    world.tool("date", `#!/bin/sh\nexec /bin/date -d "@$MOMENT" "$@"\n`);
    const calls = cases.map(([text, where, at], i) => {
      const [minute = "", hour = "", day = "", month = "", weekday = ""] = plainSchedule(text).split(" ");
      return `zone='${where}' minute='${minute}' hour='${hour}' day='${day}' month='${month}' weekday='${weekday}'; export MOMENT=${at}; name=job${i}; if is_due; then echo due; else echo not; fi`;
    });
    const { output } = await world.eval(`folder=${world.dir}/tmp\n${calls.join("\n")}`);
    const right = cases.map(([text, where, at]) => {
      const next = nextRun(text, where, new Date(at * 1000 - 1000)).getTime() / 1000;
      return next === at ? "due" : "not";
    });
    const wrong = output
      .trim()
      .split("\n")
      .flatMap((said, i) => (said === right[i] ? [] : [{ said, of: cases[i] }]));
    expect(wrong).toEqual([]);
    expect(right.filter((one) => one === "due").length).toBeGreaterThan(250);
  });
});

describe("a run of a job", () => {
  /** With an engine that says only this. */
  const run = (world: World, engine: string) =>
    world.eval(`room_patience=0
docker() { case "$*" in ${engine} *) return 1 ;; esac; }
run_job tidy`);
  const stage = async () => {
    const world = World.create("dash");
    withCron(world, "no crontab for root");
    await deployed(world, stack({ tidy }));
    return world;
  };
  const runs = (world: World) =>
    world.lines("state/test/jobs/tidy.runs").map((line) => line.replace(/^\d{10} /, ""));

  it("does not begin where less memory is free than its limit, and says so", async () => {
    const world = await stage();
    world.putMemory(512, 16);
    const { code } = await run(world, "*HostConfig.Memory*) echo 33554432 ;;");
    expect(code).toBe(1);
    expect(runs(world)).toEqual(["0 room 0"]);
    expect(world.read("deploy.log")).toMatch(/the job tidy ended with room/);
    expect(world.read("state/test/jobs/tidy.running")).toBeUndefined();
  });

  it("that was broken off is noted by the next one; where its container goes on, that one is left out", async () => {
    const world = await stage();
    world.write("state/test/jobs/tidy.running", "1764000000\n");
    const { code } = await run(world, "*State.Running*) echo true ;;");
    expect(code).toBe(0);
    expect(world.lines("state/test/jobs/tidy.runs")[0]).toBe("1764000000 0 cut 0");
    expect(runs(world)).toEqual(["0 cut 0", "0 skipped 0"]);
  });

  it("by the crontab of somebody who deployed before does nothing", async () => {
    const world = await stage();
    const { code, output } = await world.eval("jobs_of=somebody; docker() { echo called; }; run_job tidy");
    expect([code, output]).toEqual([0, ""]);
    expect(world.read("state/test/jobs/script")).toMatch(/^jobs_of=\S+$/m);
  });

  it("that nothing which serves knows does nothing", async () => {
    const world = await stage();
    const { code, output } = await world.eval("run_job another");
    expect([code, output]).toEqual([0, ""]);
  });

  it("waits for a release that is at work", async () => {
    const world = await stage();
    const { output } = await world.eval(`job_patience=1; room_patience=0
docker() { return 1; }
exec 9>>${world.dir}/state/test/lock; flock 9
before=$(now); run_job tidy 9>&-; [ $(($(now) - before)) -ge 90 ] && echo waited`);
    expect(output).toContain("waited");
  });
});
