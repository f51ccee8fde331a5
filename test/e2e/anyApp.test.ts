import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause } from "./lib/command";
import { Example } from "./lib/example";
import { expectFailure, expectSuccess } from "./lib/expect";
import { localHost } from "./lib/host";
import { freePort } from "./lib/port";
import { rows } from "./lib/rows";
import type { Setting } from "./lib/workspace";

/** What people's images do that a textbook's do not; on this machine's engine. */
describe("an app as it is", () => {
  let odd: Example;
  beforeAll(async () => {
    odd = await Example.in("test/e2e/apps/odd", "odd");
  });
  afterAll(async () => {
    await odd.remove();
  });

  const answered = async () =>
    z.object({ user: z.string(), starts: z.number() }).parse(await (await odd.fetch("/")).json());

  /** A change that cannot work: what is said of it, while what served goes on. */
  async function refused(...settings: [path: string, value: Setting][]): Promise<string> {
    const before = await odd.running();
    for (const [path, value] of settings) await odd.workspace.set(path, value);
    const { text, ...outcome } = await odd.pulumi.up();
    await odd.workspace.restore();
    expectFailure({ text, ...outcome });
    const after = await odd.running();
    expect(Object.keys(after).sort()).toEqual(["proxy", "web", "worker"]);
    expect(after.worker?.id).toBe(before.worker?.id);
    expect((await answered()).user).toBe("1001:1001");
    return text;
  }

  it("runs as its image's own user, and may write to a new volume", async () => {
    const up = await odd.pulumi.up();
    expectSuccess(up);
    expect(await answered()).toEqual({ user: "1001:1001", starts: 1 });
    const { web } = await odd.running();
    expect(web?.hardened).toMatchObject({ readOnly: true, drops: ["ALL"] });
    // The image's own check has been waited for.
    expect(up.text).toMatch(/worker-\w+ healthy \((?:[2-9]|1\d)\.\d s\)/);
    const again = await odd.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
  });

  it("is said in a preview to be what it is", async () => {
    await odd.workspace.set("services.worker.env.READY_AFTER", 0);
    const { text } = await odd.pulumi.preview();
    expect(text).toContain("run as nestjs (its image says so): worker");
    expect(text).toContain("ready when its image's own HEALTHCHECK succeeds: worker");
    await odd.workspace.restore();
  });

  it("whose own check fails does not pass for healthy", async () => {
    const text = await refused(["services.worker.env.READY_AFTER", 60], ["services.worker.startTimeout", 2]);
    expect(text).toMatch(
      /worker-\w+ did not become healthy within 2 s: the image's own check fails: not warmed up/,
    );
  });

  const cures: [what: string, settings: [path: string, value: Setting][], said: RegExp][] = [
    [
      "listens on 127.0.0.1",
      [["services.web.env.LISTEN", "127.0.0.1"]],
      /look here: it listens on port 3000 of 127\.0\.0\.1 only, where nobody outside its container reaches it/,
    ],
    [
      "listens on another port",
      [["services.web.env.LISTEN_PORT", 8080]],
      /look here: nothing listens on services\.web\.port 3000; it listens on 8080$/m,
    ],
    [
      "is run by a command that its image lacks",
      [["services.pages", { image: "nginx:1.30-trixie", command: ["nope"], memory: 48 }]],
      /look here: exit code 127: what it is to run is not in the image: look at services\.pages\.command/,
    ],
    [
      "writes where the file system is read-only",
      [["services.web.env.ETC", "/app/cache.json"]],
      /look here: its file system is read-only, and it wanted to write \/app\/cache\.json: services\.web\.security\.tmpfs for/,
    ],
    [
      "writes where its user may not",
      [
        ["services.web.env.ETC", "/etc/cache.json"],
        ["services.web.security", { readOnly: false }],
      ],
      /look here: it runs as nestjs and may not use \/etc\/cache\.json: give it to this user in the image/,
    ],
  ];
  it.each(rows(cures, ([what]) => /127|user/.test(what)))(
    "that %s is told the setting that cures it",
    async (_, settings, said) => {
      expect(await refused(...settings)).toMatch(said);
    },
  );

  it("that logs each question for its health does not lose its own words among them", async () => {
    const text = await refused(["services.web.env.NOISE", 1]);
    expect(text).toContain("| ERROR no way to the queue at queue.example:5672");
    expect(text).toMatch(/"GET \/" 503 .* \(and \d+ more like it\)/);
  });

  it("gets no data that is another's, and is told whose it is", async () => {
    const volume = `artsvao-${odd.workspace.stack}-old`;
    const inVolume = `docker run --rm --user 0 --volume ${volume}:/v --entrypoint sh node:22-bookworm-slim -c`;
    await localHost.sh(`${inVolume} 'echo kept >/v/starts; chmod 644 /v/starts'`);
    const text = await refused(["services.web.volumes", [{ name: "old", path: "/data" }]]);
    expect(text).toMatch(
      new RegExp(
        `look here: it runs as nestjs and may not use /data/starts: the volume ${volume} has data of another user.*` +
          `docker run --rm --user 0 --volume ${volume}:/v --entrypoint chown \\S+ -R nestjs /v`,
      ),
    );
    expect(await localHost.sh(`${inVolume} 'stat -c %u /v /v/starts; cat /v/starts'`)).toContain(
      "0\n0\nkept",
    );
  });

  it("that needs what plain Docker gives fails with that setting's name, and runs with it", async () => {
    const nginx = { image: "nginx:1.30-trixie", port: 80, health: "/", memory: 48, startTimeout: 5 };
    const text = await refused(["services.pages", nginx]);
    expect(text).toMatch(/look here: .*services\.pages\.security: relaxed/);
    await odd.workspace.set("services.pages", { ...nginx, security: "relaxed" });
    const preview = await odd.pulumi.preview();
    expect(preview.text).toContain("security relaxed: pages runs as whomever its image says, root too, ");
    expectSuccess(await odd.pulumi.up());
    expect(Object.keys(await odd.running()).sort()).toEqual(["pages", "proxy", "web", "worker"]);
    const again = await odd.pulumi.up();
    expect(again.changes).toEqual([]);
  });

  it("finds its database and others by what it calls them, has a host name of its own, and a port past nginx", async () => {
    const port = await freePort();
    await writeFile(join(odd.workspace.folder, "api.env"), "# of production\nLEVEL=info\nTITLE='a #1'\n");
    await odd.workspace.set("database", { version: 15, memory: 128 });
    await odd.workspace.set("services.api", {
      source: "test/e2e/apps/odd",
      port: 3000,
      host: "api.localhost",
      route: "/",
      health: "/",
      memory: 96,
      needs: ["database", "echo"],
      envFile: "api.env",
      env: {
        TITLE: "its own",
        JDBC: "jdbc:postgresql://${database.host}:${database.port}/${database.name}",
        DB_PASSWORD: "${database.password}",
        ECHO: "${echo.host}:${echo.port}",
        LITERAL: "$${database.password}",
      },
    });
    const program = "require('net').createServer((one) => one.pipe(one)).listen(7000)";
    await odd.workspace.set("services.echo", {
      image: "node:22-bookworm-slim",
      command: ["node", "-e", program],
      port: 7000,
      publish: [{ port: 7000, host: port }],
      memory: 64,
      healthCommand: "node -e 'require(`net`).connect(7000).on(`connect`, () => process.exit(0))'",
    });
    expectSuccess(await odd.pulumi.up());
    const { api } = await odd.running();
    const told = await localHost.sh(
      `docker exec ${api?.id ?? ""} sh -c 'echo "$LEVEL|$TITLE|$JDBC|$ECHO|$LITERAL"; [ "$DB_PASSWORD" = "$PGPASSWORD" ] && echo same'`,
    );
    expect(told.trim()).toBe(
      "info|its own|jdbc:postgresql://database:5432/app|echo:7000|${database.password}\nsame",
    );
    expect((await odd.ask("api.localhost", "/")).status).toBe(200);
    expect((await odd.ask("other.localhost", "/")).status).toBe(404);
    expect(await echoed(port)).toBe("hello");

    await odd.workspace.set("services.echo.memory", 65);
    expect((await odd.pulumi.preview()).text).toContain("stop first (only one may have its port)");
    expectSuccess(await odd.pulumi.up());
    expect(await echoed(port)).toBe("hello");
    expect((await odd.pulumi.up()).changes).toEqual([]);
  });

  it("runs in several containers, which share its requests and are exchanged without a failed one", async () => {
    await odd.workspace.restore();
    const path = "services.pages";
    const pages = {
      source: "test/e2e/apps/odd",
      port: 3000,
      host: "pages.localhost",
      route: "/",
      health: "/",
    };
    await odd.workspace.set(path, { ...pages, memory: 64, replicas: 3 });
    expectSuccess(await odd.pulumi.up());
    const before = await hostsAsked(odd, "pages.localhost", 60);
    expect(before.size).toBe(3);

    await odd.workspace.set(`${path}.memory`, 65);
    await odd.workspace.set(`${path}.order`, "stop-first");
    const ended = new AbortController();
    const meanwhile = askedUntil(odd, "pages.localhost", ended.signal);
    expectSuccess(await odd.pulumi.up());
    ended.abort();
    const { sent, failed } = await meanwhile;
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(20);
    const after = await hostsAsked(odd, "pages.localhost", 60);
    expect([...after].filter((one) => before.has(one))).toEqual([]);
    expect(after.size).toBe(3);
    expect((await odd.pulumi.up()).changes).toEqual([]);

    await odd.workspace.set(`${path}.replicas`, 1);
    expectSuccess(await odd.pulumi.up());
    expect((await hostsAsked(odd, "pages.localhost", 20)).size).toBe(1);
    expect(Object.keys(await odd.running()).sort()).toEqual(["pages", "proxy", "web", "worker"]);
  });
});

/** The containers that answered so many requests. */
async function hostsAsked(example: Example, host: string, times: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let i = 0; i < times; i++)
    seen.add(z.object({ host: z.string() }).parse(JSON.parse((await example.ask(host, "/")).text)).host);
  return seen;
}

/** One request after the other, at most 60 s of them. */
async function askedUntil(
  example: Example,
  host: string,
  ended: AbortSignal,
): Promise<{ sent: number; failed: number[] }> {
  const report: { sent: number; failed: number[] } = { sent: 0, failed: [] };
  for (const began = Date.now(); !ended.aborted && Date.now() - began < 60_000; report.sent++) {
    const { status } = await example.ask(host, "/");
    if (status !== 200) report.failed.push(status);
    await pause(20);
  }
  return report;
}

/** What a TCP service says to hello. */
async function echoed(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1").setTimeout(5000);
  socket.write("hello");
  const [data] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return data.toString();
}
