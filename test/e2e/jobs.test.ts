import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Box, freshBox, switchOff } from "./lib/box";
import { pause } from "./lib/command";
import { Example } from "./lib/example";
import { expectFailure, expectSuccess } from "./lib/expect";
import { ops } from "./lib/ops";

const BOX = "jobs";
const TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456";
/** A Bot API in the box: cron's jobs tell from there, where nobody is connected. */
const BOT_API = `require("node:http").createServer((request, response) => {
  let body = "";
  request.on("data", (text) => (body += text)).on("end", () => {
    console.log(JSON.stringify({ url: request.url, text: new URLSearchParams(body).get("text") }));
    response.end("{}");
  });
}).listen(8081, "127.0.0.1");`;

const serving = z.object({
  releases: z.array(z.object({ number: z.number(), serving: z.boolean() })),
});
const told = z.object({ url: z.string(), text: z.string() });
const listed = z.object({
  jobs: z.array(
    z.object({
      name: z.string(),
      schedule: z.string(),
      failed: z.boolean(),
      next: z.string(),
      runs: z.array(z.object({ outcome: z.string(), code: z.number(), seconds: z.number() })),
    }),
  ),
});

/** What a host's own cron does, on a machine of its own. */
describe("jobs", () => {
  let box: Box;
  let book: Example;

  beforeAll(async () => {
    box = await freshBox(BOX);
    book = await Example.inBox(box, "jobs");
    await box.host.sh("echo '5 4 * * * true # mine' | crontab -");
    await box.host.sh(
      `docker run -d --name botapi --network host node:22-bookworm-slim node -e '${BOT_API}' >/dev/null`,
    );
  });
  afterAll(async () => {
    await book.workspace.remove();
    await switchOff(BOX);
  });

  const crontab = () => box.host.sh("crontab -l");
  const jobs = async () => {
    const { stdout } = await ops(book, ["jobs", "--json"]);
    return Object.fromEntries(listed.parse(JSON.parse(stdout)).jobs.map((job) => [job.name, job]));
  };
  const run = (name: string) => ops(book, ["jobs", name, "--run"]);
  const outcomes = async (name: string) => (await jobs())[name]?.runs.map(({ outcome }) => outcome) ?? [];
  const messages = async () =>
    (await box.host.sh("docker logs botapi"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => told.parse(JSON.parse(line)));
  const deploy = async (...settings: [path: string, value: Parameters<Example["workspace"]["set"]>[1]][]) => {
    for (const [path, value] of settings) await book.workspace.set(path, value);
    const up = await book.pulumi.up();
    expectSuccess(up);
    return up;
  };

  it("are in the crontab beside what others have in it, and in no container that runs", async () => {
    await book.workspace.set("notify", {
      telegram: { chat: "-100200300", token: TOKEN, api: "http://127.0.0.1:8081" },
    });
    await book.pulumi.setSecret("identityKey", randomBytes(32).toString("hex"));
    const preview = await book.pulumi.preview();
    expect(preview.text).toMatch(
      /job archive: new, 30 3 \* \* \* \(Europe\/Moscow\), in the image of archive, 64 MiB, 3600 s at most/,
    );
    await deploy();
    expect(Object.keys(await book.running()).sort()).toEqual(["book", "proxy"]);
    expect((await crontab()).split("\n")).toEqual([
      "5 4 * * * true # mine",
      expect.stringMatching(/^# >>> jobs of artsvao\/jobs-\d+ /),
      expect.stringMatching(/^0,15,30,45 \* \* \* \* sh \/\S+\/jobs\/script run_job archive due$/),
      expect.stringMatching(/^0,10,20,30,40,50 \* \* \* \* sh \/\S+\/jobs\/script run_job digest$/),
      expect.stringMatching(/^# <<< jobs of/),
    ]);
    expect((await book.pulumi.up()).changes).toEqual([]);
    // The token is in its container alone.
    const found = await box.host.sh(`grep -rl ${TOKEN} /var/lib/artsvao /var/spool/cron /var/log || true`);
    expect(found).toBe("");
  });

  it("run now, in the service's own image and in one of their own, and show what they write", async () => {
    await book.fetch("/entries", { method: "POST", body: "hello" });
    const digest = await run("digest");
    expect(digest).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 entries\nended \d+ \d+ done 0$/m) as string,
    });
    expect(await (await book.fetch("/digest")).json()).toEqual({ count: 1, newest: "hello" });
    const archive = await run("archive");
    expect(archive).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^archive-\S+\.gz: \d+ bytes$/m) as string,
    });
    const { stdout, code } = await ops(book, ["jobs"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^digest +0,10,20,30,40,50 \* \* \* \* +the host's +\S+ \S+ +\d s +done +/m);
    expect((await ops(book, ["jobs", "digset", "--run"])).stderr).toMatch(/did you mean digest\?/);
  });

  it("run by cron at their time, also in another time zone, and a release that is taken back leaves them", async () => {
    const minute = Number(await box.host.sh("TZ=Asia/Kathmandu date +%M"));
    const soon = [1, 2].map((ahead) => (minute + ahead) % 60).join(",");
    await deploy(
      ["jobs.digest.schedule", "* * * * *"],
      ["jobs.archive.schedule", `${soon} * * * *`],
      ["jobs.archive.zone", "Asia/Kathmandu"],
    );
    const before = await crontab();
    await book.workspace.set("jobs.digest.schedule", "0 0 1 1 *");
    await book.workspace.set("smoke", [{ path: "/", status: 418 }]);
    expectFailure(await book.pulumi.up());
    expect(await crontab()).toBe(before);
    for (
      let i = 0;
      i < 75 && ((await outcomes("digest")).length < 2 || (await outcomes("archive")).length < 2);
      i += 1
    )
      await pause(2000);
    // One by hand before, and those of cron.
    for (const name of ["digest", "archive"]) {
      const ran = await outcomes(name);
      expect(ran.length).toBeGreaterThan(1);
      expect(new Set(ran)).toEqual(new Set(["done"]));
    }
    await book.workspace.set("smoke", [{ path: "/", status: 200 }]);
  });

  it("that fail are told of by the host itself; so are those that take too long, or too much memory", async () => {
    await deploy(
      ["jobs.digest.schedule", "0 0 1 1 *"],
      ["jobs.digest.command", ["sh", "-c", "echo cannot; exit 3"]],
    );
    expect(await run("digest")).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("cannot") as string,
    });
    expect((await messages()).at(-1)).toEqual({
      url: `/bot${TOKEN}/sendMessage`,
      text: expect.stringMatching(
        /^❌ job digest: artsvao\/jobs-\d+\nfailed: exit code 3 \(after \d+ s\)\nIts output: npm run ops -- jobs digest$/,
      ) as string,
    });
    await box.host.sh("docker stop -t 0 botapi");
    await run("digest");
    expect((await ops(book, ["log"])).stdout).toMatch(
      /the job digest ended with failed \(code 3\)[^]*nobody was told of the job digest: curl: \(7\)/,
    );
    await box.host.sh("docker start botapi");
    const { code, stdout } = await ops(book, ["jobs", "digest"]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/failed: exit code 3[^]*cannot$/m);

    await deploy(["jobs.digest.command", ["sleep", "30"]], ["jobs.digest.timeout", 2]);
    expect((await run("digest")).code).not.toBe(0);
    expect((await messages()).at(-1)?.text).toContain("it took longer than its timeout");

    await deploy(
      ["jobs.digest.command", ["node", "-e", "Buffer.alloc(200e6, 1)"]],
      ["jobs.digest.timeout", 60],
    );
    expect((await run("digest")).code).not.toBe(0);
    expect((await messages()).at(-1)?.text).toContain("it needs more memory than its limit");
  });

  it("at work during a release end in peace, and do not run twice at once", async () => {
    await deploy(["jobs.digest.command", ["sh", "-c", "sleep 40; echo whole"]]);
    const long = ops(book, ["jobs", "digest", "--run"], "", 120);
    for (let i = 0; i < 50 && !(await box.host.sh("docker ps")).includes("digest"); i += 1) await pause(200);
    expect((await run("digest")).stdout).toMatch(/runs already, since/);
    await box.host.sh(`sh $(ls -d /var/lib/artsvao/jobs-*)/jobs/script run_job digest`);
    expect((await outcomes("digest")).at(-1)).toBe("skipped");
    await deploy(["jobs.digest.command", ["echo", "new"]]);
    const ended = await long;
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("whole") as string });
    expect((await run("digest")).stdout).toContain("new");
    // The old one's container went with its end, and the next up has nothing to do.
    const left = (await box.host.containers(book.fullName)).filter(
      ({ role, service }) => role === "job" && service === "digest",
    );
    expect(left).toHaveLength(1);
    expect((await book.pulumi.up()).changes).toEqual([]);
  });

  it("wait for the end of the one before, where they are told to", async () => {
    await deploy(["jobs.digest.command", ["sh", "-c", "sleep 4; echo new"]], ["jobs.digest.overlap", "wait"]);
    const before = (await outcomes("digest")).length;
    const script = "sh $(ls -d /var/lib/artsvao/jobs-*)/jobs/script run_job digest";
    await box.host.sh(`${script} & sleep 1; ${script}; wait`);
    expect((await outcomes("digest")).slice(before)).toEqual(["done", "done"]);
  });

  it("come back with a release that is gone back to", async () => {
    const { releases } = serving.parse(JSON.parse((await ops(book, ["releases", "--json"])).stdout));
    const number = releases.find((one) => one.serving)?.number ?? 0;
    await deploy(["jobs.digest", undefined], ["jobs.archive.schedule", "1 1 1 1 *"]);
    expect(await crontab()).not.toContain("digest");
    await deploy(["rollbackTo", number]);
    expect(await crontab()).toContain("run_job digest");
    expect((await run("digest")).stdout).toContain("new");
  });

  it("that a reboot breaks off are told of, and what was edited in the crontab is put right", async () => {
    await book.workspace.set("rollbackTo", undefined);
    await deploy(["jobs.digest", { service: "book", command: ["sleep", "300"], schedule: "0 0 1 1 *" }]);
    void ops(book, ["jobs", "digest", "--run"], "", 120);
    for (let i = 0; i < 50 && !(await box.host.sh("docker ps")).includes("digest"); i += 1) await pause(200);
    await box.reboot();
    expect((await outcomes("digest")).at(-1)).toBe("cut");
    await box.host.sh("docker start botapi");
    await box.host.sh("crontab -l | grep -v digest | crontab -");
    const preview = await book.pulumi.preview();
    expect(preview.text).toContain(
      "the lines of the jobs are not in the crontab as they were written: written again",
    );
    await deploy(["jobs.digest.command", ["true"]]);
    expect(await crontab()).toContain("run_job digest");
    expect((await run("digest")).code).toBe(0);
    expect((await messages()).at(-1)?.text).toContain("broken off: the machine or its Docker was restarted");
  });

  it("go with the stack, and what others have in the crontab stays", async () => {
    await book.destroy();
    expect(await crontab()).toBe("5 4 * * * true # mine");
  });
});
