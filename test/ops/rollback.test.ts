import { afterEach, describe, expect, it } from "vitest";
import { Box, type Points } from "./support/program";

const boxes: Box[] = [];
afterEach(() => {
  for (const box of boxes.splice(0)) box.remove();
});

/** Release 2 serves, 1 can be gone back to. */
function box(pin: number | undefined, points: Points = {}): Box {
  const made = new Box(pin, points);
  boxes.push(made);
  return made;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ups = ({ calls }: Box) => calls.filter((call) => call.startsWith("up "));
const KEPT = (what: string) => `the config says ${what}, and the host may have gone on: see ops releases`;
const AGAIN = (what: string) => `the config says again what it said before: ${what}`;

describe("a rollback that pulumi up has carried out", () => {
  it("leaves the config pinned", async () => {
    const site = box(undefined, { up: "serves 3" });
    const { code, stdout } = await site.run("rollback", "1", "--yes");
    expect([code, site.pin, ups(site).length]).toEqual([0, "1", 1]);
    expect(stdout).toContain("release 1 serves again, and the config says so (rollbackTo: 1)");
  });

  it("--off leaves it without a pin", async () => {
    const site = box(1, { up: "serves 3" });
    expect([(await site.run("rollback", "--off", "--yes")).code, site.pin]).toEqual([0, undefined]);
  });
});

describe("a rollback whose pulumi up ended with a failure", () => {
  it.each<[why: string, up: string]>([
    ["the host cannot be asked", "unreachable; exit 255"],
    ["its runner is at work there", "tells 'active release 3 by ann@laptop'; exit 255"],
    ["its runner was killed there", "tells interrupted; exit 255"],
    ["it serves there, and the last check has failed", "serves 3; exit 1"],
  ])("keeps the new pin, and says so, while %s", async (_, up) => {
    const site = box(undefined, { up });
    const { code, stderr } = await site.run("rollback", "1", "--yes");
    expect([code, site.pin]).toEqual([1, "1"]);
    expect(stderr).toMatch(/pulumi up failed with exit code (255|1); /);
    expect(stderr).toContain(KEPT("rollbackTo: 1"));

    const off = box(1, { up });
    const back = await off.run("rollback", "--off", "--yes");
    expect([back.code, off.pin]).toEqual([1, undefined]);
    expect(back.stderr).toContain(KEPT("no rollbackTo any more"));
  });

  it("puts the pin back where the host serves what it did and nobody is at work", async () => {
    const site = box(1, { up: "exit 255" });
    const { code, stderr } = await site.run("rollback", "--off", "--yes");
    expect([code, site.pin]).toEqual([1, "1"]);
    expect(stderr).toContain(`pulumi up failed with exit code 255\n${AGAIN("rollbackTo: 1")}\n`);

    const first = box(undefined, { up: "exit 255" });
    expect((await first.run("rollback", "1", "--yes")).stderr).toContain(AGAIN("no rollbackTo"));
    expect(first.pin).toBeUndefined();
  });

  it("says what to type when the config cannot be put back", async () => {
    const site = box(1, { up: "exit 255", pinned: "echo 'error: disk full' >&2; rm pin; exit 1" });
    const { code, stderr } = await site.run("rollback", "--off", "--yes");
    expect([code, site.pin]).toEqual([1, undefined]);
    expect(stderr).toContain(
      "the config could not be put back (pulumi config: disk full); " +
        "type: pulumi config set rollbackTo 1 --stack test\n",
    );
  });
});

describe("a rollback that is ended before pulumi up has begun puts the pin back, and says so", () => {
  it("when its preview fails, whether or not the host can be asked", async () => {
    const site = box(1, { preview: "unreachable; exit 255" });
    const { code, stderr } = await site.run("rollback", "--off", "--yes");
    expect([code, site.pin, ups(site)]).toEqual([1, "1", []]);
    expect(stderr).toContain(`pulumi preview failed with exit code 255\n${AGAIN("rollbackTo: 1")}\n`);
  });

  it.each(SIGNALS)("by %s between the pin and the preview", async (signal) => {
    const site = box(1, { unpinned: "reached" });
    const run = site.start(["rollback", "--off", "--yes"]);
    await site.reached();
    run.signal(signal);
    const { code, stderr } = await run.end;
    expect([code, site.pin]).toEqual([1, "1"]);
    expect(stderr).toContain(`ended by ${signal}; nothing was deployed\n${AGAIN("rollbackTo: 1")}\n`);
    expect(site.calls.filter((call) => /^(preview|up)\b/.test(call))).toEqual([]);
  });

  it("by Ctrl-C in a preview that goes to its end all the same", async () => {
    const site = box(1, { preview: "trap : INT; reached; exit 0" });
    const run = site.start(["rollback", "--off", "--yes"]);
    await site.reached();
    run.signal("SIGINT");
    expect([(await run.end).code, site.pin, ups(site)]).toEqual([1, "1", []]);
  });

  it.each(SIGNALS)("by %s at the question", async (signal) => {
    const site = box(1);
    const run = site.start(["rollback", "--off"], true);
    await run.says("Deploy this?");
    run.signal(signal);
    const { code, stderr } = await run.end;
    expect([code, site.pin, ups(site)]).toEqual([1, "1", []]);
    expect(stderr).toContain(`Nothing was changed.\n${AGAIN("rollbackTo: 1")}\n`);
  });

  it("by a failure that nobody reads", async () => {
    const site = box(1, { preview: "reached; echo noise >&2; exit 1" });
    const run = site.start(["rollback", "--off", "--yes"]);
    await site.reached();
    run.child.stdout.destroy();
    run.child.stderr.destroy();
    expect([(await run.end).code, site.pin, ups(site)]).toEqual([1, "1", []]);
  });

  it("by a no, and not by a yes", async () => {
    for (const [answer, pin, count] of [
      ["n", "1", 0],
      ["y", undefined, 1],
    ] as const) {
      const site = box(1, { up: "serves 3" });
      const run = site.start(["rollback", "--off"], true);
      await run.says("Deploy this?");
      run.child.stdin.write(`${answer}\n`);
      await run.end;
      expect([site.pin, ups(site).length]).toEqual([pin, count]);
    }
  });
});

it.each(SIGNALS)("a rollback that %s ends in the middle of pulumi up keeps the new pin", async (signal) => {
  const site = box(1, { up: "reached" });
  const run = site.start(["rollback", "--off", "--yes"]);
  await site.reached();
  run.signal(signal);
  const { code, stderr } = await run.end;
  expect([code, site.pin]).toEqual([1, undefined]);
  expect(stderr).toContain(`pulumi up was interrupted; ${KEPT("no rollbackTo any more")}`);
});

it("a release and --off is a wrong command line, and nothing is asked or done", async () => {
  const site = box(1);
  expect(await site.run("rollback", "6", "--off", "--yes")).toMatchObject({
    code: 64,
    stderr: "give a release or --off, not both\n",
  });
  expect(site.pin).toBe("1");
});
