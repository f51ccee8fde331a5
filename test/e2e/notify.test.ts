import { spawn, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxState } from "./lib/checkout";
import { Example } from "./lib/example";
import { expectFailure, expectSuccess, expectUntouched } from "./lib/expect";
import { ops } from "./lib/ops";
import type { Outcome } from "./lib/pulumi";
import { plainSecret, Searcher } from "./lib/secrets";
import { BotApi } from "./lib/telegram";
import { Watch } from "./lib/watch";

const CHAT = "-1001234567890";

/** Each scenario begins with what the one before has left: the site serves. */
describe("what is told of a deploy, by a bot on this machine", () => {
  const secret = plainSecret("the token");
  const token = `123456:${secret.value}`;
  let example: Example;
  let api: BotApi;
  let watch: Watch;
  /** All that runs have said. */
  const said: Record<string, string> = {};

  beforeAll(async () => {
    example = await Example.of("static-site", "notify");
    api = await BotApi.start(token, CHAT);
    const { pulumi, workspace } = example;
    await pulumi.setSecret("notify.telegram.token", token);
    await workspace.set("notify.telegram.chat", Number(CHAT));
    await workspace.set("notify.telegram.api", api.address);
    await workspace.keepConfig();
    watch = new Watch(new Searcher([secret]));
  });

  function keep(name: string, outcome: Outcome): Outcome {
    said[name] = outcome.text;
    return outcome;
  }

  async function deploy(name: string, ...words: string[]): Promise<Awaited<ReturnType<typeof ops>>> {
    const done = await ops(example, ["deploy", ...words], "", 300);
    said[name] = done.stdout + done.stderr;
    return done;
  }

  const version = async () => (await example.running()).site?.key ?? "none";

  it("nothing by a preview, success by an up, nothing by one that has nothing to do", async () => {
    expectSuccess(keep("the preview", await example.pulumi.preview()));
    expect(api.take()).toEqual([]);
    const up = keep("the first up", await example.pulumi.up());
    expectSuccess(up);
    expect(up.text).not.toContain("nobody was told");
    const [text = "", ...others] = api.take();
    expect(others).toEqual([]);
    expect(text).toMatch(
      new RegExp(
        `^<b>✅ deployed: artsvao/${example.workspace.stack}</b>\n\\S+@\\S+, [^,]+, release 1 \\([0-9a-f]{12}\\)\n\n` +
          `<b>Changed</b>\n• proxy: new\n• site: new\n\n<b>Serves now</b>\n• site: ${await version()}\n\n` +
          String.raw`<b>Visitors met</b>\n• 0 requests, none failed(, longest gap [\d.]+ s)?, memory at most \d+ of \d+ MiB$`,
      ),
    );
    expectSuccess(keep("the second up", await example.pulumi.up()));
    expect(api.take()).toEqual([]);
  });

  it("a build that fails, before anything was switched", async () => {
    const before = await example.running();
    await example.workspace.replace("examples/static-site/Dockerfile", "USER nginx", "RUN false\nUSER nginx");
    const up = keep("the failing build", await example.pulumi.up());
    expectFailure(up);
    const [text = "", ...others] = api.take();
    expect(others).toEqual([]);
    expect(text).toContain(`❌ deploy failed: artsvao/${example.workspace.stack}`);
    expect(text).toContain("<b>Was to change</b>\n• site: new version");
    expect(text).toContain(`<b>Serves now</b>\n• site: ${await version()}`);
    expect(text).toMatch(/<pre>site-[0-9a-f]{12}: .*RUN false|exit code: 1/);
    expectUntouched(before, await example.running());
    await example.workspace.restore();
  });

  it("a release that never gets healthy, in Russian, without the page that it quotes", async () => {
    const before = await version();
    await example.workspace.set("notify.language", "ru");
    await example.workspace.set("services.site.health", "/no-such-page");
    await example.workspace.set("services.site.startTimeout", 3);
    const up = keep("the ill release", await example.pulumi.up());
    expectFailure(up);
    const [text = "", ...others] = api.take();
    expect(others).toEqual([]);
    expect(text).toContain("❌ развернуть не удалось");
    expect(text).toContain("• site: другие настройки (health");
    expect(text).toContain(`<b>Сейчас работает</b>\n• site: ${before}`);
    expect(text).toMatch(/<pre>[^]*did not become healthy within 3 s[^]*<\/pre>$/);
    expect(text).not.toMatch(/running &?.*mktemp|^\s+\|/m);
    await example.workspace.restore();
  });

  it("a refusal of the program, once, by ops deploy too; and no terminal is no deploy", async () => {
    await example.workspace.set("checks", { tests: { command: "exit 1" } });
    expectFailure(keep("the refusal", await example.pulumi.up()));
    const [text = "", ...others] = api.take();
    expect(others).toEqual([]);
    expect(text).toContain("checks.tests: tests fail");
    expect((await deploy("the refused deploy", "--yes")).code).toBe(1);
    expect(api.take().map((one) => one.includes("checks.tests: tests fail"))).toEqual([true]);
    const unasked = await deploy("the deploy without a terminal");
    expect(unasked).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "there is no terminal to ask on: add --yes. Nothing was changed.\n",
    });
    expect(api.take()).toEqual([]);
    await example.workspace.restore();
  });

  it("by ops deploy: a wrong config, before the program runs", async () => {
    await example.workspace.set("services.site.memory", "much");
    const done = await deploy("the wrong config", "--yes");
    expect(done.code).toBe(1);
    expect(done.stderr).toContain("services.site.memory: must be");
    const [text = "", ...others] = api.take();
    expect(others).toEqual([]);
    expect(text).toContain("services.site.memory: must be");
    await example.workspace.restore();
  });

  it("by ops deploy: a lock that is held; one whose process is dead is taken away", async () => {
    const { stack, state } = example.workspace;
    const folder = join(state, ".pulumi", "locks", "organization", "artsvao", stack);
    await mkdir(folder, { recursive: true });
    const holder = spawn("sleep", ["300"], { stdio: "ignore" });
    const lock = (pid: number | undefined) =>
      JSON.stringify({ pid, username: "ada", hostname: hostname(), timestamp: "2026-11-23T08:00:00Z" });
    try {
      await writeFile(join(folder, "0f2f6c1e-0000-4000-8000-000000000000.json"), lock(holder.pid));
      const held = await deploy("the held lock", "--yes");
      expect(held.code).toBe(1);
      const words = `the stack is locked by ada@${hostname()} (process ${holder.pid ?? 0}) since 2026-11-23T08:00:00Z`;
      expect(held.stderr).toContain(words);
      expect(held.stderr).toContain(`type: pulumi cancel --yes --stack ${stack}`);
      expect(api.take().map((text) => text.includes(words))).toEqual([true]);
    } finally {
      holder.kill("SIGKILL");
    }
    await writeFile(join(folder, "0f2f6c1e-0000-4000-8000-000000000000.json"), lock(spawnSync("true").pid));
    await example.workspace.replace("examples/static-site/site/find-us.html", "pier", "quay");
    const done = await deploy("the deploy after a dead one", "--yes");
    expect(done.code, done.stderr + done.stdout).toBe(0);
    expect(done.stdout).toContain("that process has gone, and its lock was taken away");
    expect(api.take().map((text) => text.includes("✅ deployed"))).toEqual([true]);
    await example.workspace.restore();
  });

  it("by a server that hangs: the deploy is done, with a warning", async () => {
    api.hangs = true;
    await example.workspace.set("notify.telegram.timeout", 1);
    const up = keep("the up with a hanging server", await example.pulumi.up());
    expectSuccess(up);
    expect(up.text).toContain(
      `warning: nobody was told: Telegram: no answer within 1 s: is ${api.address} reached from here?`,
    );
    expect(api.take().map((text) => text.includes("✅ deployed"))).toEqual([true]);
    api.hangs = false;
    await example.workspace.restore();
  });

  it("and the token stands nowhere: not in output, state, folders, argument lists", async () => {
    watch.stop();
    const searcher = new Searcher([secret]);
    expect(watch.looks).toBeGreaterThan(20);
    expect([[...watch.found], [...watch.shown]]).toEqual([[], []]);
    const strangers = [...watch.holders.values()].filter(
      // The program gets the stack's config from the CLI this way.
      ({ command }) => !/language-nodejs|pulumi\/cmd\/run/.test(command),
    );
    expect(strangers).toEqual([]);
    const events = await readFile(example.pulumi.eventLog, "utf8");
    const shown = events.split("\n").filter((line) => !line.includes('"severity":"debug"'));
    expect(Object.keys(said).length).toBe(12);
    expect(
      searcher.inAll({ ...said, events: shown.join("\n"), state: await example.pulumi.exportedState() }),
    ).toEqual([]);
    expect(await searcher.below(example.workspace.folder, ["node_modules", "plugins", "events"])).toEqual([]);
    expect(await searcher.below(`/var/lib/${example.fullName}`)).toEqual([]);
    expect(await searcher.below(join(sandboxState, "pulumi-home"), ["plugins"])).toEqual([]);
  });

  afterAll(async () => {
    watch.stop();
    await example.remove();
    api.stop();
  });
});
