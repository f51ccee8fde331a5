import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "./lib/command";
import { composeThatAnswers } from "./lib/composeClient";
import { Example } from "./lib/example";
import { expectSuccess } from "./lib/expect";
import { localHost } from "./lib/host";
import { ops } from "./lib/ops";

const PASSWORD = "was-typed-once";
const SECRET = "not-for-everybody";

/** The CRM as people run it with compose, its data in a volume of compose's; on this machine's engine. */
describe("ops import compose", () => {
  const volume = `oldcrm-${process.pid}_pgdata`;
  let app: Example;
  let path: string;
  beforeAll(async () => {
    app = await Example.in("test/e2e/apps/compose", "moved");
    const { folder } = app.workspace;
    for (const part of ["backend", "frontend"]) await app.workspace.take(`examples/crm/${part}`);
    const here = join(folder, "test/e2e/apps/compose");
    const answer = (await readFile(join(here, "answer.json"), "utf8"))
      .replaceAll("@FOLDER@", here)
      .replaceAll("@PROJECT@", folder)
      .replaceAll("oldcrm_pgdata", volume);
    path = await composeThatAnswers(app, answer);
    await serveOnce(volume);
  });
  afterAll(async () => {
    await app.remove();
    await localHost.sh(`docker volume rm -f ${volume}`);
  });

  const imports = () => ops(app, ["import", "compose", "compose.yaml", "--yes"], "", 60, { PATH: path });

  it("writes a config that says all of it, with secrets that nobody sees, and lists what is otherwise", async () => {
    const { code, stdout, stderr } = await imports();
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("2 services: backend, frontend; and PostgreSQL");
    expect(stdout).toContain("secrets: backend.SESSION_SECRET");
    expect(stdout).toMatch(/nginx +is left out: the stack brings its own nginx/);
    expect(stdout).toMatch(/migrate +runs as the migration of backend/);
    const config = await readFile(join(app.workspace.folder, `Pulumi.${app.workspace.stack}.yaml`), "utf8");
    for (const text of [stdout, config]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(SECRET);
    }
  });

  it("makes a stack that previews, serves, and has the data that was there", async () => {
    const preview = await app.pulumi.preview();
    expectSuccess(preview);
    expect(preview.text).toContain(`adopts the existing volume ${volume} with its data`);
    expectSuccess(await app.pulumi.up());
    expect(Object.keys(await app.running()).sort()).toEqual(["backend", "database", "frontend", "proxy"]);
    expect(await (await app.fetch("/")).text()).toContain("CRM");
    expect((await app.fetch("/api/contacts")).status).toBe(200);
    const { database, backend } = await app.running();
    expect(
      await localHost.sh(`docker exec ${database?.id ?? ""} psql -qAt -U crm crm -c 'select name from kept'`),
    ).toBe("Anna");
    expect(await localHost.sh(`docker exec ${backend?.id ?? ""} printenv SESSION_SECRET`)).toBe(SECRET);
    expect((await app.pulumi.up()).changes).toEqual([]);
  });

  it("overwrites no services that are there", async () => {
    const { code, stderr } = await imports();
    expect(code).toBe(1);
    expect(stderr).toContain("this stack has services already, and they would be overwritten");
  });
});

/** What compose's database has left behind. */
async function serveOnce(volume: string): Promise<void> {
  const id = (
    await localHost.sh(
      `docker run -d -v ${volume}:/var/lib/postgresql/data -e POSTGRES_USER=crm -e POSTGRES_PASSWORD=${PASSWORD} -e POSTGRES_DB=crm postgres:15-bookworm`,
    )
  ).trim();
  const insert = `docker exec ${id} psql -q -h 127.0.0.1 -U crm crm -c "create table kept (name text); insert into kept values ('Anna')"`;
  for (let i = 0; i < 60; i++) {
    const [done] = await localHost
      .sh(`PGPASSWORD=x; ${insert} >/dev/null 2>&1 && echo yes || echo no`)
      .then((said) => [said.trim() === "yes"]);
    if (done) break;
    await pause(500);
  }
  await localHost.sh(`docker stop ${id} && docker rm ${id}`);
}
