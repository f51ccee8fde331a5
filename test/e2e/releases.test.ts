import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "./lib/expect";
import { ops } from "./lib/ops";
import { Site } from "./lib/site";

const FRONTEND_VERSION = "examples/crm/frontend/src/version.ts";
const BACKEND_VERSION = "examples/crm/backend/src/version.ts";
const OLDER_CODE =
  /olderCode: backend gets the code of release \d+ again: release \d+ has run backend-migrate-[0-9a-f]{12} \(contract\) since/;
/** What a person has with a rollback in mind: how long a deploy takes, in seconds. */
const took: { deploy: number[]; rollback: number[] } = { deploy: [], rollback: [] };

const told = z.object({
  pinnedTo: z.number().optional(),
  releases: z.array(
    z.object({
      number: z.number(),
      kind: z.string(),
      to: z.number().optional(),
      result: z.string(),
      reason: z.string().optional(),
      by: z.string(),
      serving: z.boolean(),
      ready: z.boolean(),
      obstacles: z.array(z.string()),
      disk: z.number().optional(),
      images: z.record(z.string(), z.string()),
      steps: z.array(z.object({ seconds: z.number(), what: z.string() })),
      commits: z.array(z.unknown()),
    }),
  ),
});

/** Each scenario begins with what the one before has left: the site serves. */
describe("releases on record, and going back to one", () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.onThisMachine(`releases-${process.pid}`, "Releases, and going back to one");
    await site.workspace.set("keep", 5);
    await site.workspace.keepConfig();
    expectSuccess(await site.pulumi.up());
  });

  const releases = async () => {
    const { code, stdout, stderr } = await ops(site, ["releases", "--json"]);
    expect(code, stderr).toBe(0);
    return told.parse(JSON.parse(stdout));
  };
  const version = () => site.crm.frontendVersion();

  it("v1 to v7, of which five are ready to go back to, and the images of the others are gone", async () => {
    for (const patch of [2, 3, 4, 5, 6, 7]) {
      await site.workspace.restore();
      await site.workspace.replace(FRONTEND_VERSION, '"1.0.0"', `"1.0.${patch}"`);
      const up = await site.pulumi.up();
      expectSuccess(up);
      expect(up.text).toContain(`this is release ${patch}`);
      took.deploy.push(up.seconds);
    }
    expect(await version()).toBe("1.0.7");
    expect(await site.pulumi.outputs()).toMatchObject({ number: 7 });
    const list = await releases();
    expect(list.releases.map((one) => [one.number, one.result, one.ready, one.serving])).toEqual([
      [7, "done", true, true],
      [6, "done", true, false],
      [5, "done", true, false],
      [4, "done", true, false],
      [3, "done", true, false],
      [2, "done", false, false],
      [1, "done", false, false],
    ]);
    for (const { obstacles } of list.releases.slice(5))
      expect(obstacles).toEqual([
        expect.stringMatching(/its image .*\/frontend:[0-9a-f]{12} is gone from the host/),
      ]);
    const [newest] = list.releases;
    expect(newest?.by).toMatch(/.+@.+/);
    expect(newest?.steps.map(({ what }) => what.split(" ")[0])).toContain("record");
    expect(newest?.disk).toBeGreaterThan(0);
    const images = await site.host.images(site.fullName);
    expect(images.filter((image) => image.includes("/frontend:"))).toHaveLength(5);
  });

  it("back to v3 by config, previewed like a deploy, without a build or a failed request; then nothing more", async () => {
    const before = await site.running();
    await site.workspace.set("rollbackTo", 3);
    const preview = await site.pulumi.preview();
    expectSuccess(preview);
    expect(preview.text).toMatch(
      /PINNED to release 3 \([0-9a-f]{12}, .* UTC, by .*\): its config and images/,
    );
    expect(preview.text).toMatch(/frontend +.*start first/);
    expect(preview.text).toContain("image of frontend: kept from release 3: no build");
    expect(preview.text).not.toMatch(/runs backend-migrate-/);
    const [up, load] = await site.measuredUp("back to release 3 of 7");
    expectSuccess(up);
    expectNoneFailed(load);
    took.rollback.push(up.seconds);
    expect(await version()).toBe("1.0.3");
    expectUntouched(before, await site.running(), ["backend", "database", "proxy"]);
    const [newest] = (await releases()).releases;
    expect(newest).toMatchObject({ number: 8, kind: "rollback", to: 3, result: "done", serving: true });

    const again = await site.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
    expect((await releases()).releases).toHaveLength(8);
  });

  it("ops rollback --off goes on from the config as it is", async () => {
    const [done, load] = await site.underLoad(() => ops(site, ["rollback", "--off", "--yes"], "", 300));
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expectNoneFailed(load);
    expect(await version()).toBe("1.0.7");
    expect((await releases()).pinnedTo).toBeUndefined();
  });

  it("ops rollback without a number goes to the last good one, and the config says so", async () => {
    const refused = await ops(site, ["rollback"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("there is no terminal to ask on: add --yes");
    const done = await ops(site, ["rollback", "--yes"], "", 300);
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(done.stdout).toContain("release 8 serves again, and the config says so (rollbackTo: 8)");
    expect(await version()).toBe("1.0.3");
    const list = await releases();
    expect(list.pinnedTo).toBe(8);
    expect(list.releases.slice(0, 2)).toMatchObject([{ number: 10, kind: "rollback", to: 8 }, { number: 9 }]);
    const table = await ops(site, ["releases"]);
    expect(table.stdout).toContain("PINNED to release 8");
  });

  it("a release whose image is gone is refused, with those that are ready, and nothing changes", async () => {
    const before = await site.running();
    await site.workspace.set("rollbackTo", 1);
    const up = await site.pulumi.up();
    expectFailure(up);
    expect(up.text).toMatch(
      /rollbackTo: release 1 cannot be gone back to: its image \S+\/frontend:\S+ is gone from the host; ready are /,
    );
    const asked = await ops(site, ["rollback", "1", "--yes"]);
    expect(asked.code).toBe(1);
    expectUntouched(before, await site.running());
    await site.workspace.set("rollbackTo", 8);
  });

  it("killed in the middle of a rollback, the runner too: what served serves, and the next up goes back", async () => {
    await site.workspace.set("rollbackTo", 5);
    const [converged, load] = await site.underLoad(async () => {
      const run = site.pulumi.startUp();
      await run.says(/frontend-[0-9a-f]{12} started/);
      run.kill();
      await run.end;
      await site.host.sh(
        `kill -9 $(cat $(ls -1dt ${site.stateFolder}/runs/* | head -n 1)/pid) 2>/dev/null || :`,
      );
      expect(["1.0.3", "1.0.5"]).toContain(await version());
      await site.pulumi.cancel();
      return site.pulumi.up();
    });
    site.report.add("a rollback after a kill", converged.seconds, load);
    expectSuccess(converged);
    expectNoneFailed(load);
    expect(await version()).toBe("1.0.5");
    const list = await releases();
    expect(list.releases.map(({ result }) => result).slice(0, 2)).toEqual([
      "done",
      expect.stringMatching(/interrupted|failed|done/),
    ]);
    expect(list.releases.filter(({ result }) => result === "running")).toEqual([]);
  });

  it("a commit reverted behind a contract migration is stopped, until the check is told that it is meant", async () => {
    await site.settle();
    for (const version of ["2.0.0", "3.0.0"]) {
      await site.workspace.restore();
      await site.workspace.set("services.backend.migrateKind", "contract");
      await site.workspace.replace(BACKEND_VERSION, '"1.0.0"', JSON.stringify(version));
      expectSuccess(await site.pulumi.up());
    }
    const before = await site.running();
    await site.workspace.restore();
    const preview = await site.pulumi.preview();
    expect(preview.text).toMatch(
      /release [0-9a-f]{12} \(number \d+ again\) replaces [0-9a-f]{12} \(number \d+\)/,
    );
    expect(preview.text).toMatch(OLDER_CODE);
    const refused = await site.pulumi.up();
    expectFailure(refused);
    expect(refused.text).toMatch(OLDER_CODE);
    expectUntouched(before, await site.running());

    await site.workspace.set("checks.olderCode.level", "warn");
    expectSuccess(await site.pulumi.up());
    expect((await site.running()).backend?.key).not.toBe(before.backend?.key);
    await site.workspace.restore();
    expect((await site.pulumi.up()).changes).toEqual([]);
  });

  it("the deploy log has a line for each beginning and end, and ops log shows it", async () => {
    const log = await readFile(site.workspace.deployLog, "utf8");
    const { code, stdout } = await ops(site, ["log", "-n", "all"]);
    expect(code).toBe(0);
    expect(stdout).toBe(log);
    const lines = log.trimEnd().split("\n");
    const ours = new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\S+ ${site.fullName} `);
    for (const line of lines) expect(line).toMatch(ours);
    expect(log).toMatch(
      / release 7 begins \(deploy, [0-9a-f]{12}\), by .*\n.* release 7 serves after [\d.]+ s: /,
    );
    expect(log).toMatch(/ release 8 begins \(back to release 3, [0-9a-f]{12}\), by /);
    expect(log).toMatch(/ a deploy by \S+ failed before it began here: .*|release \d+ was interrupted/);
  });

  afterAll(async () => {
    console.log(`deploys took ${seconds(took.deploy)} s, a rollback ${seconds(took.rollback)} s`);
    await site.report.write();
    await site.remove();
  });
});

function seconds(times: readonly number[]): string {
  return times.map((one) => one.toFixed(1)).join(", ");
}
