import { expect } from "vitest";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "../lib/expect";
import { rows } from "../lib/rows";
import type { Scenarios } from "../lib/scenarios";
import type { Site } from "../lib/site";
import { query } from "./password";

const BAD_SETTINGS: [what: string, settings: Record<string, string>, reason: RegExp][] = [
  [
    "that PostgreSQL does not know",
    { no_such_setting: "1" },
    /\| .*FATAL: +unrecognized configuration parameter "no_such_setting"/,
  ],
  [
    "that asks for more memory than there is",
    { shared_buffers: "1000GB" },
    /\| .*FATAL: +could not (map anonymous shared memory|create shared memory segment)/,
  ],
];

/** PostgreSQL changes by the same rules: a release with undo, while requests wait. */
export function databaseChanges(scenarios: Scenarios): void {
  for (const [what, settings, reason] of rows(BAD_SETTINGS, ([one]) => one.includes("memory"))) {
    scenarios.add(`a setting ${what}: the old database serves again, requests wait`, async (site) => {
      const before = await site.running();
      await site.workspace.set("database.settings", settings);
      const [up, load] = await site.measuredUp(`database: a setting ${what}`);
      expectFailure(up);
      expect(up.text).toMatch(/FAILED: healthy database-/);
      expect(up.text).toMatch(reason);
      expect(up.text).toMatch(/release [0-9a-f]{12} serves, as before: /);
      const after = await site.running();
      expect(after.database?.id).toBe(before.database?.id);
      expectUntouched(before, after, ["backend", "frontend", "proxy"]);
      expectNoneFailed(load);
      await site.workspace.restore();
      expectSuccess(await site.pulumi.up());
    });
  }

  scenarios.add("a good setting and another limit: a dump, requests wait, all is there", async (site) => {
    const before = await site.running();
    await site.workspace.set("database.settings", { work_mem: "8MB" });
    await site.workspace.set("database.memory", 200);
    const [up, load] = await site.measuredUp("database: settings and memory");
    expectSuccess(up);
    expectNoneFailed(load);
    expect(up.text).toMatch(/dumping the database \(\d+ [kM]B\)/);
    const after = await site.running();
    expect(after.database?.id).not.toBe(before.database?.id);
    expect(after.database?.hardened.memory).toBe(200 * 1024 * 1024);
    expectUntouched(before, after, ["backend", "frontend", "proxy"]);
    expect(await query(site, "show work_mem")).toBe("8MB");
    await expectRestorable(site, /dump of the database: (\S+)/.exec(up.text)?.[1] ?? "");
  });

  scenarios.add(
    "a volume whose data is another image's: told with the cure, before anything stops",
    async (site) => {
      const before = await site.running();
      const dumps = () => site.host.sh(`ls ${site.stateFolder}/backup 2>/dev/null || true`);
      const dumped = await dumps();
      const volume = `alpine-${process.pid}`;
      const version = (await query(site, "show server_version")).split(".")[0] ?? "";
      await site.host.sh(
        `docker volume create ${volume} >/dev/null && docker run --rm -v ${volume}:/v --entrypoint sh ${before.database?.image ?? ""} -c 'echo ${version} >/v/PG_VERSION && chown -R 70:70 /v && chmod 700 /v'`,
      );
      await site.workspace.set("database.volume", volume);
      const up = await site.pulumi.up();
      expectFailure(up);
      expect(up.text).toMatch(/FAILED: fits database-/);
      expect(up.text).toMatch(
        /belongs to user 70, and this image's PostgreSQL is user 999[^]*an alpine image has written it: set database\.image to postgres:\d+-alpine/,
      );
      expectUntouched(before, await site.running());
      expect(await dumps()).toBe(dumped);
      await site.workspace.restore();
      expectSuccess(await site.pulumi.up());
      await site.host.sh(`docker volume rm ${volume}`);
    },
  );

  scenarios.add("a dump for which there is no room: nothing is stopped", async (site) => {
    const before = await site.running();
    await site.workspace.set("database.settings", { work_mem: "6MB" });
    const backup = `${site.stateFolder}/backup`;
    // A disk of one page, where the dumps go.
    await site.host.sh(
      `mv ${backup} ${backup}.kept && mkdir ${backup} && mount -t tmpfs -o size=4k none ${backup}`,
    );
    try {
      const [up, load] = await site.measuredUp("database: no room for the dump");
      expectFailure(up);
      expect(up.text).toMatch(/the dump of the database failed: is the host's disk full\?/);
      expect(up.text).toMatch(/FAILED: backup database-/);
      expectUntouched(before, await site.running());
      expectNoneFailed(load);
    } finally {
      await site.host.sh(`umount ${backup} && rmdir ${backup} && mv ${backup}.kept ${backup}`);
    }
    await site.workspace.restore();
    expectSuccess(await site.pulumi.up());
  });
}

/** Into a database of its own: the rows that were there when it was taken. */
async function expectRestorable(site: Site, dump: string): Promise<void> {
  const sql = "select count(*) from contacts where name not like 'load-%'";
  const { database } = await site.running();
  const id = database?.id ?? "";
  const restored = await site.host.sh(
    `docker exec ${id} createdb -U app restored && docker exec -i ${id} pg_restore -U app -d restored --exit-on-error <${dump} &&` +
      ` docker exec ${id} psql -U app -d restored -tAc "${sql}" && docker exec ${id} dropdb -U app restored`,
  );
  expect(restored).toBe(await query(site, sql));
  expect(Number(restored)).toBeGreaterThan(0);
}
