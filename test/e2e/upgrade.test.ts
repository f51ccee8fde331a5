import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "./lib/checkout";
import { expectSuccess, expectUntouched } from "./lib/expect";
import { Site } from "./lib/site";
import { query } from "./scenarios/password";

/** The script of docs/failures.md that copies the data, as a reader would run it: the names filled in. */
async function documented(names: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(checkout, "docs", "failures.md"), "utf8");
  const [, section = ""] = text.split("## Another major version of PostgreSQL");
  const [, script = ""] = /```sh\n(.*?)```/s.exec(section) ?? [];
  expect(script).toContain("pg_restore");
  return Object.entries(names).reduce((filled, [name, value]) => {
    const assignment = new RegExp(`\\b${name}=\\S+`);
    expect(filled).toMatch(assignment);
    return filled.replace(assignment, `${name}=${value}`);
  }, script);
}

describe("another major version of PostgreSQL, as the docs say", () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.onThisMachine(`upgrade-${process.pid}`);
    expectSuccess(await site.pulumi.up());
    await site.crm.createContact("written in 15");
  });

  const volume = (version: number) => `artsvao-${site.workspace.stack}-database-${version}`;

  it.each([
    [15, 17, "/var/lib/postgresql/data"],
    [17, 18, "/var/lib/postgresql"],
  ])("%i to %i: the data is there, the old volume too", async (from, to, data) => {
    const before = await site.running();
    const image = `postgres:${to}-trixie`;
    const script = await documented({ stack: site.fullName, new: volume(to), image, data });
    await site.host.sh(`cd "$(mktemp -d)" && ${script}`);
    // Nobody writes between the copy and the exchange; who reads is served.
    await expect(site.crm.createContact("in between")).rejects.toThrow(/answers 5/);
    expect(await site.crm.contacts(`written in ${from}`)).toHaveLength(1);

    await site.workspace.set("database.version", to);
    await site.workspace.set("database.image", image);
    await site.workspace.set("database.volume", volume(to));
    expectSuccess(await site.pulumi.up());

    expect(await query(site, "show server_version_num")).toMatch(new RegExp(`^${to}`));
    expectUntouched(before, await site.running(), ["frontend", "proxy"]);
    expect(await site.crm.contacts("written in 15")).toHaveLength(1);
    expect(await site.crm.contacts("in between")).toEqual([]);
    await site.crm.createContact(`written in ${to}`);
    expect(await site.host.sh("docker volume ls -q")).toContain(`artsvao-${site.workspace.stack}-database\n`);
  });

  it("18 is exchanged for another limit of memory: the data is there", async () => {
    const before = await site.running();
    await site.workspace.set("database.memory", 200);
    expectSuccess(await site.pulumi.up());
    expect((await site.running()).database?.id).not.toBe(before.database?.id);
    for (const version of [15, 17, 18])
      expect(await site.crm.contacts(`written in ${version}`)).toHaveLength(1);
    expect((await site.pulumi.preview()).text).toMatch(/unchanged/);
  });

  afterAll(async () => {
    await site.remove();
    await site.host.sh(`docker volume rm ${[15, 17, 18].map(volume).join(" ")} 2>/dev/null || true`);
  });
});
