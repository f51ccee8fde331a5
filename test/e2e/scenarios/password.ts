import { expect } from "vitest";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "../lib/expect";
import type { Scenarios } from "../lib/scenarios";
import type { Site } from "../lib/site";

/** Another version of the database's password: who serves keeps the old one until the new ones have taken over. */
export function passwords(scenarios: Scenarios): void {
  scenarios.add(
    "a new password together with a broken backend: taken back, no request fails",
    async (site) => {
      const before = await site.running();
      const logins = await loginsOf(site);
      await site.workspace.set("database.passwordVersion", 2);
      await site.workspace.set("services.backend.env.CRM_FAULT", "unhealthy");
      await site.workspace.set("services.backend.startTimeout", 5);
      const [up, load] = await site.measuredUp("new password, broken backend");
      expectFailure(up);
      expect(up.text).toMatch(/release [0-9a-f]{12} serves, as before: /);
      const after = await site.running();
      expect(keys(after)).toEqual(keys(before));
      expectUntouched(before, after, ["backend", "frontend", "proxy"]);
      expectNoneFailed(load);
      expect(await loginsOf(site)).toEqual(logins);

      await site.workspace.restore();
      const [back, backLoad] = await site.measuredUp("that reverted");
      expectSuccess(back);
      expectUntouched(after, await site.running());
      expectNoneFailed(backLoad);
      expect(await loginsOf(site)).toEqual(logins);
    },
  );

  scenarios.add(
    "a new password: all who use it are exchanged, no request fails, and the old one opens nothing",
    async (site) => {
      const before = await site.running();
      const old = await connectionOf(site);
      await site.workspace.set("database.passwordVersion", 2);
      const preview = await site.pulumi.preview();
      expect(preview.text).toMatch(/database +the database's password changed; stops and starts/);
      expect(preview.text).toMatch(/backend +the database's password changed; start first/);
      expect(preview.text).toMatch(/frontend +unchanged/);

      const [up, load] = await site.measuredUp("new password");
      expectSuccess(up);
      expectNoneFailed(load);
      const after = await site.running();
      expectUntouched(before, after, ["frontend", "proxy"]);
      expect(after.backend?.id).not.toBe(before.backend?.id);
      expect(await loginsOf(site)).toEqual(["app has none", "app_v2 has one"]);
      expect(await query(site, "select count(*) from pg_stat_activity where usename = 'app_v2'")).toMatch(
        /^[1-9]/,
      );
      expect(await query(site, "select distinct tableowner from pg_tables where schemaname = 'public'")).toBe(
        "app",
      );
      const now = await connectionOf(site);
      expect(now).not.toBe(old);
      expect(await opens(site, now)).toBe("yes");
      expect(await opens(site, old)).toMatch(/password authentication failed/);

      const again = await site.pulumi.up();
      expectSuccess(again);
      expect(again.changes).toEqual([]);
    },
  );

  scenarios.add("and the next one, stop-first: requests wait, none fails", async (site) => {
    const before = await site.running();
    await site.workspace.set("database.passwordVersion", 3);
    await site.workspace.set("services.backend.order", "stop-first");
    const [up, load] = await site.measuredUp("new password, stop-first");
    expectSuccess(up);
    expectNoneFailed(load);
    expectUntouched(before, await site.running(), ["frontend", "proxy"]);
    expect(await loginsOf(site)).toEqual(["app has none", "app_v3 has one"]);
  });
}

function keys(running: Awaited<ReturnType<Site["running"]>>): string[] {
  return Object.values(running)
    .map(({ key }) => key)
    .sort();
}

/** What the owner is told by the database, over the socket. */
export function query(site: Site, sql: string): Promise<string> {
  const database = `$(docker ps -q --filter label=deploy.stack=${site.fullName} --filter label=deploy.role=database)`;
  return site.host.sh(`docker exec ${database} psql -U app -d app -tAc "${sql}"`);
}

/** Each login of the stack, and whether any password opens it. */
async function loginsOf(site: Site): Promise<string[]> {
  const has = "case when rolpassword is null then 'none' else 'one' end";
  const sql = `select rolname || ' has ' || ${has} from pg_authid where rolname ~ '^app' order by 1`;
  return (await query(site, sql)).split("\n");
}

/** The backend's DATABASE_URL. */
async function connectionOf(site: Site): Promise<string> {
  const { backend } = await site.running();
  return site.host.sh(`docker exec ${backend?.id ?? ""} printenv DATABASE_URL`);
}

/** Asked over the network: inside its own container the database asks nobody for a password. */
async function opens(site: Site, url: string): Promise<string> {
  const { database } = await site.running();
  const network = `$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' ${database?.id ?? ""})`;
  const psql = `docker run --rm --network ${network} --entrypoint psql postgres:15-bookworm`;
  return site.host.sh(`${psql} '${url}' -tAc "select 'yes'" 2>&1 || :`);
}
