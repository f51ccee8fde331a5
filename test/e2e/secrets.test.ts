import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sandboxState } from "./lib/checkout";
import { pause } from "./lib/command";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "./lib/expect";
import type { Outcome } from "./lib/pulumi";
import { oddSecret, plainSecret, Searcher, type Secret } from "./lib/secrets";
import { Site } from "./lib/site";
import { Watch } from "./lib/watch";

/** Not what holds code only, which is large; nor the events, which are looked at one by one. */
const SKIPPED = ["node_modules", "plugins", "examples", "events"];

describe("secrets of the example CRM, deployed to this machine's engine", () => {
  let site: Site;
  const token = oddSecret("TOKEN");
  const next = oddSecret("the next TOKEN");
  const identityKey = plainSecret("identityKey");
  let passwords: Secret[] = [];
  /** All that a run said, by the run. */
  const said: Record<string, string> = {};

  beforeAll(async () => {
    site = await Site.onThisMachine(`secrets-${process.pid}`);
    await site.pulumi.setSecret("identityKey", identityKey.value);
    await site.pulumi.setSecret("services.backend.secrets.TOKEN", token.value);
    // All that PostgreSQL can be told to log.
    await site.workspace.set("database.settings", {
      log_statement: "all",
      log_min_duration_statement: 0,
      log_min_error_statement: "debug5",
    });
    await site.workspace.keepConfig();
  });

  async function keep(name: string, outcome: Outcome): Promise<Outcome> {
    said[`what ${name} said`] = outcome.text;
    said[`the events of ${name}`] = await site.pulumi.toldEvents();
    return outcome;
  }

  /** Everywhere that a deploy writes to, but for a container's own environment. */
  async function everywhere(searcher: Searcher): Promise<string[]> {
    const exported = { "the exported state": await site.pulumi.exportedState() };
    return [
      ...searcher.inAll({ ...said, ...exported, ...(await ofEngine(site)) }),
      ...(await searcher.below(site.workspace.folder, SKIPPED)),
      ...(await searcher.below(site.stateFolder)),
      ...(await searcher.below(join(sandboxState, "pulumi-home"), SKIPPED)),
    ];
  }

  it("are found wherever they are planted, by the search that the others rely on", async () => {
    const searcher = new Searcher([token, identityKey]);
    const forms = {
      bare: token.value,
      json: JSON.stringify({ a: JSON.stringify(token.value) }),
      url: encodeURIComponent(token.value),
      "a shell's": `'${token.value.replaceAll("'", "'\\''")}'`,
      base64: Buffer.from(token.value).toString("base64"),
      "base64 of a longer text": Buffer.from(`{"x":"${token.value}"}`).toString("base64"),
      "base64 for URLs": Buffer.from(`xy${token.value}`).toString("base64url"),
      hex: Buffer.from(token.value).toString("hex"),
    };
    for (const [form, text] of Object.entries(forms)) {
      expect(searcher.in(text), form).not.toEqual([]);
      expect(new Searcher([next]).in(text), form).toEqual([]);
    }
    const folder = await mkdtemp(join(tmpdir(), "planted-"));
    const watch = new Watch(searcher);
    const planted = join(tmpdir(), `planted-${process.pid}`);
    await writeFile(planted, token.value);
    await writeFile(join(folder, "file"), forms.base64);
    const child = spawn("sleep", ["30"], {
      env: { ...process.env, KEY: identityKey.value },
      argv0: token.value,
    });
    // Every fortieth look is another user's.
    for (let tries = 0; tries < 200 && watch.looks < 85; tries += 1) await pause(100);
    watch.stop();
    child.kill();
    expect(await searcher.below(folder)).toEqual([`${folder}/file: TOKEN in base64`]);
    await rm(folder, { recursive: true });
    await rm(planted);
    expect([...watch.found].join("\n")).toMatch(/^argument list of .*: TOKEN bare$/m);
    expect([...watch.found].join("\n")).toContain(`${planted}: TOKEN bare`);
    expect([...watch.holders.values()].map(({ what }) => what)).toContainEqual(["identityKey bare"]);
    expect([...watch.shown]).toContain("TOKEN bare");
    expect([...watch.shown]).not.toContain("identityKey bare");
  });

  it("arrive byte for byte, and stand in no argument list, temporary file or foreign environment", async () => {
    const watch = new Watch(new Searcher([token, identityKey]));
    const preview = await keep("the preview", await site.pulumi.preview("--diff", "--show-config"));
    const up = await keep("the first up", await site.pulumi.up("--diff"));
    watch.stop();
    expectSuccess(preview);
    expectSuccess(up);
    const running = await site.running();
    const environment = await site.host.sh(`docker exec ${running.backend?.id ?? ""} cat /proc/1/environ`);
    expect(environment.split("\0")).toContain(`TOKEN=${token.value}`);
    passwords = [plainSecret("the password", variable(environment, "PGPASSWORD"))];

    expect([...watch.found]).toEqual([]);
    expect([...watch.shown]).toEqual([]);
    const mine = (await site.host.containers(site.fullName)).filter(({ service }) => service === "backend");
    const strangers = [...watch.holders.values()].filter(
      ({ container, command }) =>
        // The program gets the stack's config from the CLI this way.
        !/language-nodejs|pulumi\/cmd\/run/.test(command) && !mine.some(({ id }) => id === container),
    );
    expect(strangers).toEqual([]);
    expect([...watch.holders.values()].some(({ container }) => container === running.backend?.id)).toBe(true);
    expect(watch.looks).toBeGreaterThan(20);
  });

  it("that a database takes are in no argument list either, nor in its log", async () => {
    // The same password again, in each start of the database.
    const watch = new Watch(new Searcher([token, identityKey, ...passwords]));
    await site.workspace.set("database.memory", 200);
    expectSuccess(await keep("the database's exchange", await site.pulumi.up()));
    await site.workspace.set("database.passwordVersion", 2);
    expectSuccess(await keep("the password's change", await site.pulumi.up()));
    watch.stop();
    const { backend } = await site.running();
    const environment = await site.host.sh(`docker exec ${backend?.id ?? ""} cat /proc/1/environ`);
    passwords.push(plainSecret("the next password", variable(environment, "PGPASSWORD")));
    expect(passwords[1]?.value).not.toBe(passwords[0]?.value);
    expect([...watch.found]).toEqual([]);
    expect([...watch.shown]).toEqual([]);
    const strangers = [...watch.holders.values()].filter(
      ({ container, command }) =>
        container === undefined && !/language-nodejs|pulumi\/cmd\/run/.test(command),
    );
    expect(strangers).toEqual([]);
  });

  it("are not told by a release that fails", async () => {
    await site.workspace.set("services.backend.env.CRM_FAULT", "crash");
    const up = await keep("the failing up", await site.pulumi.up("--diff"));
    expectFailure(up);
    expect(up.text).toMatch(/exit code 1/);
    await site.workspace.set("services.backend.env.CRM_FAULT", undefined);
    expectSuccess(await keep("the up after it", await site.pulumi.up()));
  });

  it("stand nowhere afterwards but in the environment of their containers, and encrypted", async () => {
    const searcher = new Searcher([token, identityKey, ...passwords]);
    expect(await everywhere(searcher)).toEqual([]);
    expect(await site.host.sh(`docker logs ${(await site.running()).database?.id ?? ""} 2>&1`)).toMatch(
      /LOG: +statement: /,
    );
  });

  it("rotated: only the service that uses it is replaced, no request fails, and the old value is gone", async () => {
    const before = await site.running();
    await site.pulumi.setSecret("services.backend.secrets.TOKEN", next.value);
    const preview = await keep("the preview of the rotation", await site.pulumi.preview("--diff"));
    expect(preview.text).toMatch(/backend +secret TOKEN changed; start first/);
    for (const other of ["frontend", "database", "proxy"])
      expect(preview.text).toMatch(new RegExp(`${other} +unchanged`));

    const [up, load] = await site.measuredUp("a secret rotated");
    await keep("the rotation", up);
    expectSuccess(up);
    expectNoneFailed(load);
    const after = await site.running();
    expectUntouched(before, after, ["frontend", "database", "proxy"]);
    expect(after.backend?.id).not.toBe(before.backend?.id);
    const environment = await site.host.sh(`docker exec ${after.backend?.id ?? ""} cat /proc/1/environ`);
    expect(environment.split("\0")).toContain(`TOKEN=${next.value}`);

    expect(await everywhere(new Searcher([token, next, identityKey, ...passwords]))).toEqual([]);
    // Not even where it was allowed to be.
    const containers = (await site.host.containers(site.fullName)).map(({ id }) => id).join(" ");
    expect(new Searcher([token]).in(await site.host.sh(`docker inspect ${containers}`))).toEqual([]);
    expect(new Searcher([next]).in(await site.host.sh(`docker inspect ${containers}`))).not.toEqual([]);
  });

  afterAll(async () => {
    await site.report.write();
    await site.remove();
  });
});

function variable(environ: string, name: string): string {
  const line = environ.split("\0").find((one) => one.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`no ${name} in the environment`);
  return line.slice(name.length + 1);
}

const inspected = z.array(z.looseObject({ Id: z.string(), Config: z.looseObject({ Env: z.unknown() }) }));

/** What the engine knows and tells of a stack, without the environment of its containers. */
async function ofEngine({ host, fullName }: Site): Promise<Record<string, string>> {
  const containers = await host.containers(fullName);
  const ids = containers.map(({ id }) => id).join(" ");
  const all = inspected.parse(JSON.parse(await host.sh(`docker inspect ${ids}`)));
  const images = (await host.images(fullName)).join(" ");
  const logs = await Promise.all(
    containers.map(
      async ({ id, key }) => [`log of ${key}`, await host.sh(`docker logs ${id} 2>&1`)] as const,
    ),
  );
  const proxy = containers.find(({ role }) => role === "proxy")?.id ?? "";
  return {
    ...Object.fromEntries(logs),
    "what the engine knows of the containers": JSON.stringify(
      all.map((one) => ({ ...one, Config: { ...one.Config, Env: [] } })),
    ),
    "its images": await host.sh(`docker image inspect ${images}`),
    "their history": await host.sh(`for i in ${images}; do docker history --no-trunc "$i"; done`),
    "its networks and volumes": await host.sh(
      `docker network inspect $(docker network ls -q --filter label=deploy.stack=${fullName});` +
        `docker volume inspect $(docker volume ls -q --filter label=deploy.stack=${fullName})`,
    ),
    "nginx's files": await host.sh(`docker exec ${proxy} sh -c 'cat /etc/nginx/state/*'`),
  };
}
