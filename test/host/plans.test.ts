import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generation } from "../../plan/found/present";
import { deployed, prepare, release } from "./lib/release";
import { SCENARIOS, type Scenario, serves, type Stage, stage } from "./lib/scenarios";
import { entries } from "./lib/shells";
import { liveRoutes, serving, violations } from "./lib/serving";
import { full, plain, stored } from "./lib/stacks";
import { name, running, story } from "./lib/story";
import { removeWorlds, World } from "./lib/world";

// Every kind of plan, run to its end: all that it changes, in order, and what serves then.

afterAll(removeWorlds);

async function run(scenario: Scenario): Promise<Stage & { output: string }> {
  const staged = await stage(scenario, "dash");
  const { world, next } = staged;
  const { code, output } = await release(world, next);
  expect(output).not.toMatch(/FAILED|could not/);
  expect(code).toBe(0);
  expect(violations(world)).toEqual([]);
  expect(serving(world)).toMatchObject({ journal: undefined, lockIsFree: true });
  expect(world.read("state/test/current")).toContain(
    `release ${next.plan.release}\nepoch ${next.plan.epoch}\n`,
  );
  expect(world.read("state/test/holder")).toBeUndefined();
  expect(entries(join(world.dir, "tmp"))).toEqual([]);
  return { ...staged, output };
}

/** An exchange, during which a restart of the machine would bring the old version back. */
function sheltered(service: string, ...more: string[]): string[] {
  return [
    `policy new ${service} no`,
    `stop old ${service}`,
    `start new ${service}`,
    ...more,
    `policy new ${service} always`,
    `policy old ${service} no`,
  ];
}

/** service -> which container answers for it. */
function routes({ world, before, next }: Stage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(liveRoutes(world)).map(([service, target]) => [service, name(target, before, next)]),
  );
}

describe.concurrent("a plan run to its end", () => {
  it("first release", async () => {
    const staged = await run({ ...SCENARIOS.first, to: full() });
    const { world, before, next, output } = staged;
    expect(story(world, before, next)).toEqual([
      "cp routes.js",
      "cp routes.json",
      "cp nginx.conf",
      "start new proxy",
      "start new database",
      "password new database",
      "start new api-migrate",
      "start new api",
      "start new web",
      "start new worker",
      "write routes.json",
      "write routes.json",
    ]);
    expect(running(world, before, next)).toEqual([
      "new api",
      "new database",
      "new proxy",
      "new web",
      "new worker",
    ]);
    expect(routes(staged)).toEqual({ api: "new api:3000", web: "new web:3001" });
    expect(
      name(output, before, next)
        .split("\n")
        .map((line) => line.replace(/ \(\d+\.\d s\)$/, "")),
    ).toEqual([
      "nginx has the site's configuration",
      "new proxy started",
      "new proxy healthy",
      "new database started",
      "new database healthy",
      "new api-migrate done",
      "new api started",
      "new web started",
      "new worker started",
      "new api healthy",
      "api can be reached",
      "new web healthy",
      "web can be reached",
      "new worker healthy",
      "smoke test of the candidate release passed",
      "smoke test of the live release passed",
      "the new release stays healthy",
      expect.stringMatching(/^visitors: 0 requests, 0 failed, 0 waited; memory at most \d+ of \d+ MiB$/),
      "this is release 1",
      "",
    ]);
  });

  it("start-first replacement of one service", async () => {
    const staged = await run(SCENARIOS.one);
    const { world, before, next } = staged;
    expect(story(world, before, next)).toEqual([
      "start new web",
      "write routes.json",
      "write routes.json",
      "policy old web no",
      "stop old web",
      "rm old web",
    ]);
    expect(running(world, before, next)).toEqual(["api", "new web", "proxy"]);
    expect(routes(staged)).toEqual({ api: "api:3000", web: "new web:3001" });
  });

  it("start-first replacement of two", async () => {
    const staged = await run(SCENARIOS.both);
    const { world, before, next } = staged;
    expect(story(world, before, next)).toEqual([
      "start new api",
      "start new web",
      "write routes.json",
      "write routes.json",
      "policy old api no",
      "policy old web no",
      "stop old api",
      "rm old api",
      "stop old web",
      "rm old web",
    ]);
    expect(routes(staged)).toEqual({ api: "new api:3000", web: "new web:3001" });
  });

  it("stop-first exchange of a service that another one needs", async () => {
    const staged = await run(SCENARIOS.exchange);
    const { world, before, next } = staged;
    expect(story(world, before, next)).toEqual([
      "start new web",
      "write routes.json",
      ...sheltered("api"),
      "write routes.json",
      "write routes.json",
      "write routes.json",
      "policy old web no",
      "stop old web",
      "rm old web",
      "rm old api",
    ]);
    expect(routes(staged)).toEqual({ api: "new api:3000", web: "new web:3001" });
  });

  it("database replaced while requests wait", async () => {
    const staged = await run(SCENARIOS.database);
    const { world, before, next } = staged;
    expect(story(world, before, next)).toEqual([
      "policy new database no",
      "write routes.json",
      "stop old database",
      "start new database",
      "password new database",
      "write routes.json",
      "policy new database always",
      "policy old database no",
      "rm old database",
    ]);
    // A dump was taken before.
    const [dump = "", ...others] = entries(join(world.dir, "state/test/backup"));
    expect(others).toEqual([]);
    expect(world.read(`state/test/backup/${dump}`)).toBe("PGDMP app pass-word-1\n");
    expect(running(world, before, next)).toEqual(["api", "new database", "proxy"]);
    expect(routes(staged)).toEqual({ api: "api:3000" });
  });

  it("new password: the old one serves until all who use it are replaced, and then opens nothing", async () => {
    const staged = await stage(SCENARIOS.password);
    // Looked at when the old version goes: until then both can log in.
    staged.world.tool(
      "base64",
      '#!/bin/sh\n[ -f "$FAKE_WORLD/logins" ] || ! grep -q v2 "$FAKE_WORLD/volumes/database/password" ||\n' +
        '  cp "$FAKE_WORLD/volumes/database/password" "$FAKE_WORLD/logins"\nexec /usr/bin/base64 "$@"\n',
    );
    const { world, before, next } = staged;
    expect((await release(world, next)).code).toBe(0);
    expect(violations(world)).toEqual([]);
    expect(running(world, before, next)).toEqual(["new api", "new database", "proxy"]);
    expect(world.read("logins")).toBe("app pass-word-1\napp_v2 pass-word-2\n");
    expect(world.read("volumes/database/password")).toBe("app_v2 pass-word-2\n");
  });

  it.each([
    [1, "app pass-word-1\n"],
    [2, "app_v2 pass-word-2\n"],
  ])(
    "data from elsewhere, version %i: its owner's password gives way to the stack's",
    async (version, logins) => {
      const world = World.create();
      world.write("volumes/database/password", "app from-elsewhere\nother keeps-its-own\n");
      const next = prepare(world, stored(1, { passwordVersion: version }));
      expect((await release(world, next)).code).toBe(0);
      expect(world.read("volumes/database/password")).toBe(`other keeps-its-own\n${logins}`);
      expect(violations(world)).toEqual([]);
    },
  );

  it("proxy replaced", async () => {
    const staged = await run(SCENARIOS.proxy);
    const { world, before, next } = staged;
    expect(story(world, before, next).filter((call) => !/nginx.conf|next.conf|routes/.test(call))).toEqual([
      ...sheltered("proxy"),
      "rm old proxy",
    ]);
    expect(running(world, before, next)).toEqual(["api", "new proxy", "web"]);
    expect(serving(world).proxy?.loadedSite).toContain("client_max_body_size 32m");
  });

  it("only the site changes: a reload, no container touched", async () => {
    const { world, before, next } = await run(SCENARIOS.site);
    expect(story(world, before, next)).toEqual([
      "write routes.js",
      "write routes.json",
      "write next.conf",
      "write nginx.conf",
      "reload proxy",
    ]);
    expect(serving(world).proxy?.loadedSite).toContain("client_max_body_size 32m");
  });

  it("a service that is no longer wanted is drained, stopped and removed last", async () => {
    const staged = await run(SCENARIOS.removed);
    const { world, before, next } = staged;
    expect(story(world, before, next).slice(-2)).toEqual(["stop old worker", "rm old worker"]);
    expect(running(world, before, next)).toEqual(["api", "proxy", "web"]);
    expect(Object.keys(routes(staged))).toEqual(["api", "web"]);
  });

  it("what was stopped by hand is started again", async () => {
    const { world, before, next } = await run(SCENARIOS.repair);
    expect(story(world, before, next)).toEqual(["start api"]);
    expect(running(world, before, next)).toEqual(["api", "proxy", "web"]);
    expect(next.plan.epoch).toBe(2);
  });

  it("a stray container is swept, what serves stays", async () => {
    const { world, before } = await serves(plain());
    // Made by a run that was killed before its release began.
    prepare(world, plain(7));
    const next = prepare(world, plain());
    world.write("calls", "");
    expect(next.plan.epoch).toBe(2);
    expect((await release(world, next)).code).toBe(0);
    expect(story(world, before, next)).toEqual(["stop stray web", "rm stray web"]);
    expect(running(world, before, next)).toEqual(["api", "proxy", "web"]);
  });

  it("nothing changed: no epoch, and a run changes nothing", async () => {
    const { world, before } = await serves(plain());
    const start = serving(world);
    const next = prepare(world, plain());
    expect(next.plan.epoch).toBe(before.plan.epoch);
    world.write("calls", "");
    expect((await release(world, next)).code).toBe(0);
    expect(world.lines("calls")).toEqual([]);
    expect(serving(world)).toEqual({ ...start, current: start.current?.replace("number 1", "number 2") });
  });

  it("remembers how often a container was made, so that a removed one is made again", async () => {
    const { world, before } = await serves(plain());
    const web = before.keys.find((key) => key.startsWith("web-")) ?? "";
    expect(generation(await world.facts(), web)).toBe(0);
    await deployed(world, plain(2));
    const facts = await world.facts();
    expect(generation(facts, web)).toBe(1);
    // The way back makes the first one anew, under another ID.
    await deployed(world, plain());
    expect((await world.facts()).seen.get(web)).toMatchObject({ generation: 1 });
    expect(violations(world)).toEqual([]);
  });
});
