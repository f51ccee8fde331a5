import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "./lib/command";
import { Crm } from "./lib/crm";
import { expectFailure, expectSuccess, expectUntouched } from "./lib/expect";
import { localHost } from "./lib/host";
import { freePort } from "./lib/port";
import { type Outcome, Pulumi } from "./lib/pulumi";
import { Workspace } from "./lib/workspace";

/** Whose host it is: one stack on this machine's engine, three people, two states. */
describe("a host that has an owner", () => {
  const stack = `owner-${process.pid}`;
  const fullName = `artsvao/${stack}`;
  const workspaces: Workspace[] = [];
  let crm: Crm;
  /** Ann has deployed; Ben shares her state, from another machine as far as he can; Eve has a state of her own. */
  let [ann, ben, eve]: Pulumi[] = [];
  const running = () => localHost.running(fullName);
  const contacts = async () => (await crm.contacts("Ada")).map(({ name }) => name);

  const workspaceOf = async (port: number): Promise<Workspace> => {
    const workspace = await Workspace.create(stack);
    workspaces.push(workspace);
    await workspace.set("http.port", port);
    // They deploy to one host: its folders are the same for each of them.
    await workspace.set("host.stateDir", join(workspaces[0]?.folder ?? "", "host"));
    await workspace.set("host.log", workspaces[0]?.deployLog);
    return workspace;
  };

  beforeAll(async () => {
    const port = await freePort();
    crm = new Crm(port);
    const annsFolder = await workspaceOf(port);
    ann = new Pulumi(annsFolder, {});
    await ann.init();

    const bensFolder = await workspaceOf(port);
    await rm(bensFolder.state, { recursive: true });
    await symlink(annsFolder.state, bensFolder.state);
    // As another umask checks it out.
    await run("chmod", ["-R", "g+w,o-r", join(bensFolder.folder, "examples")]);
    const home = join(bensFolder.folder, "home");
    await mkdir(home);
    ben = new Pulumi(bensFolder, {
      HOME: home,
      USER: "ben",
      LOGNAME: "ben",
      TZ: "Asia/Tokyo",
      LANG: "ru_RU.UTF-8",
    });

    eve = new Pulumi(await workspaceOf(port), {});
    await eve.init();
  });

  const foundation: { done: boolean } = { done: false };
  const step = (name: string, work: () => Promise<void>) => {
    it(name, async (context) => {
      context.skip(!foundation.done && name !== FIRST, "the first deploy failed");
      await work();
    });
  };
  const FIRST = "is deployed to, and told whose it is";

  step(FIRST, async () => {
    expectSuccess(await the(ann).up());
    await crm.createContact("Ada");
    const owner = await readFile(join(workspaces[0]?.folder ?? "", "host", stack, "owner"), "utf8");
    expect(owner).toMatch(
      /^stack artsvao\/owner-\d+\nlineage [0-9a-f-]{36}\nmachine [0-9a-f]{12}\nby .+@.+\nsince .+ UTC\n$/,
    );
    foundation.done = true;
  });

  step("two deployers with the same state see no difference", async () => {
    const before = await running();
    for (const outcome of [await the(ben).preview(), await the(ben).up(), await the(ann).up()]) {
      expectSuccess(outcome);
      expect(outcome.changes).toEqual([]);
      expect(outcome.resources.length).toBeGreaterThan(20);
    }
    expectUntouched(before, await running());
  });

  let refused: Outcome;
  step("another state is refused, in preview and in up, and nothing is touched", async () => {
    const before = await localHost.containers(fullName);
    const preview = await the(eve).preview();
    refused = await the(eve).up();
    for (const outcome of [preview, refused, await the(eve).preview()]) {
      expectFailure(outcome);
      expect(outcome.text).toMatch(
        /the stack artsvao\/\S+ there belongs to another state, deployed first by .+@.+ UTC/,
      );
      expect(outcome.text).toContain("Nothing was changed.");
    }
    // What a new state calls itself is all that it has made, and that provider.
    expect(refused.changes.filter((one) => !one.includes(" default_"))).toEqual([
      "create RandomUuid lineage",
    ]);
    expect(await localHost.containers(fullName)).toEqual(before);
    expect((await localHost.networks(fullName)).length).toBe(2);
  });

  step("a volume that another stack has made is not taken", async () => {
    const name = `artsvao-${stack}-files`;
    await localHost.sh(`docker volume create --label deploy.stack=${fullName}-x ${name}`);
    try {
      const files = [{ name: "files", path: "/files" }];
      await workspaces[0]?.set("services.frontend.volumes", files);
      const preview = await the(ann).preview();
      expectFailure(preview);
      expect(preview.text).toContain(
        `services.frontend.volumes[0].name: the volume ${name} on the host belongs to the stack ${fullName}-x`,
      );
      // The database's own, by another way of naming it.
      await workspaces[0]?.set("services.frontend.volumes", undefined);
      await workspaces[1]?.set("database.volume", `artsvao-${stack}-proxy`);
      expect((await the(ben).preview()).text).toContain("is the volume of proxy already");
    } finally {
      await workspaces[0]?.set("services.frontend.volumes", undefined);
      await workspaces[1]?.set("database.volume", undefined);
      await localHost.sh(`docker volume rm ${name}`);
    }
  });

  step("a lost state: what the refusal says to type clears the host, and keeps the data", async () => {
    const cure = /^ +(sh \/\S+\/script teardown)$/m.exec(refused.text)?.[1] ?? "exit 9";
    expect(await localHost.sh(cure)).toContain(`kept: the data volume artsvao-${stack}-database`);
    expect(await localHost.containers(fullName)).toEqual([]);
    expect(await localHost.networks(fullName)).toEqual([]);
  });

  step(
    "a first up that fails has claimed the host all the same: its state goes on, and the data is there",
    async () => {
      await workspaces[2]?.set("services.backend.env", { CRM_FAULT: "page" });
      const failed = await the(eve).up();
      expectFailure(failed);
      expect(failed.text).toContain("FAILED: smoke candidate");
      await workspaces[2]?.set("services.backend.env", undefined);
      const preview = await the(eve).preview();
      expectSuccess(preview);
      expectSuccess(await the(eve).up());
      expect(await contacts()).toEqual(["Ada"]);
      const again = await the(eve).up();
      expectSuccess(again);
      expect(again.changes).toEqual([]);
    },
  );

  step("the state that was the owner before is refused, and its destroy takes nothing away", async () => {
    const before = await running();
    const up = await the(ann).up();
    expectFailure(up);
    expect(up.text).toContain("belongs to another state");
    const destroyed = await the(ben).destroy();
    expectSuccess(destroyed);
    expect(destroyed.text).toMatch(/nothing was removed from the host: \S+ belongs to another state/);
    expectUntouched(before, await running());
    expect(await contacts()).toEqual(["Ada"]);
  });

  afterAll(async () => {
    // Whoever owns it: the engine is shared with others.
    for (const pulumi of [eve, ann]) {
      const { code, text } = await the(pulumi).destroy();
      if (code !== 0) throw new Error(text);
    }
    for (const volume of await localHost.volumes(fullName)) await localHost.sh(`docker volume rm ${volume}`);
    for (const workspace of workspaces) await workspace.remove();
  });
});

function the(pulumi: Pulumi | undefined): Pulumi {
  if (pulumi === undefined) throw new Error("it was not set up");
  return pulumi;
}
