import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkout } from "./lib/checkout";
import { run } from "./lib/command";
import { localHost } from "./lib/host";
import { freePort } from "./lib/port";

const STACK = `new-${process.pid}`;
const FULL_NAME = `shop/${STACK}`;

/** `pulumi new` as a newcomer types it, with the answers on the command line; then what it made is deployed as it is. */
describe("pulumi new", () => {
  let folder = "";
  let env: NodeJS.ProcessEnv = {};
  const pulumi = (args: readonly string[]) =>
    run("pulumi", args, { cwd: join(folder, "shop"), env, timeout: 300_000 });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "deploy-e2e-"));
    env = {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_STACK: undefined,
    };
    for (const part of ["state", "app", "shop", "template"]) await mkdir(join(folder, part));
    const files = (
      await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: checkout })
    )
      .split("\0")
      .filter((file) => file !== "");
    for (const file of files) await cp(join(checkout, file), join(folder, "template", file));
    // npm finds all of it there already, and only looks.
    await run("cp", ["-al", join(checkout, "node_modules"), join(folder, "shop", "node_modules")]);
    await writeFile(
      join(folder, "app", "Dockerfile"),
      `FROM node:22-bookworm-slim\nCMD ["node", "-e", "require('http').createServer((_, r) => r.end('hello')).listen(process.env.PORT)"]\n`,
    );
  });
  afterAll(async () => {
    await pulumi(["destroy", "--yes", "--skip-preview"]);
    for (const volume of await localHost.volumes(FULL_NAME)) await localHost.sh(`docker volume rm ${volume}`);
    await localHost.sh(`rm -rf /var/lib/shop /var/log/shop-deploy.log`);
    await rm(folder, { recursive: true });
  });

  it("asks for the machine, the domain and the first service; the project that it makes deploys them", async () => {
    const port = await freePort();
    const answers = { "http.port": String(port), "http.address": "127.0.0.1", "services.app.memory": "64" };
    const flags = Object.entries(answers).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
    const names = ["--name", "shop", "--stack", STACK, "--dir", join(folder, "shop")];
    await pulumi(["new", join(folder, "template"), "--yes", "--force", ...names, ...flags]);

    const { config } = parse(await readFile(join(folder, "shop", `Pulumi.${STACK}.yaml`), "utf8")) as {
      config: Record<string, string>;
    };
    expect(config).toMatchObject({
      "shop:host.address": "local",
      "shop:domain": "localhost",
      "shop:services.app.source": "../app",
      "shop:services.app.port": "3000",
      "shop:services.app.memory": "64",
    });
    await pulumi(["up", "--yes", "--skip-preview"]);
    const answer = await fetch(`http://localhost:${port}/`);
    expect(await answer.text()).toBe("hello");
    expect(Object.keys(await localHost.running(FULL_NAME)).sort()).toEqual(["app", "proxy"]);
    const ops = (...args: string[]) =>
      run("node", ["ops/bin.mjs", "--stack", STACK, ...args], { cwd: join(folder, "shop"), env });
    expect(await ops("status")).toMatch(/^app +app-\w+ +running/m);

    // What is set by path goes together with what was answered.
    await writeFile(join(folder, "shop", ".env.production"), "LEVEL=debug\n");
    expect(await ops("env", "import", ".env.production", "--plain", "LEVEL", "--yes")).toContain("LEVEL");
    expect(await pulumi(["preview"])).toContain("env.LEVEL changed");
  });
});
