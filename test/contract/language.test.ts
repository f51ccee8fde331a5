import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

describe("a TypeScript program in a folder", () => {
  let folder: string;
  let log: string;
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "contract",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  });
  const pulumi = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync("pulumi", [...args, "--non-interactive"], {
      cwd: folder,
      env: environment(),
      encoding: "utf8",
    });
  const program = (text: string): void => {
    writeFileSync(join(folder, "index.ts"), text);
  };
  const up = (): SpawnSyncReturns<string> => pulumi("up", "--yes", "--skip-preview");

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "contract-language-"));
    log = join(folder, "log");
    mkdirSync(join(folder, "state"));
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "Pulumi.yaml"), "name: contract-language\nruntime: nodejs\n");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ main: "index.ts" }));
    const compilerOptions = {
      target: "ES2022",
      module: "commonjs",
      moduleResolution: "node10",
      noCheck: true,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    expect(pulumi("stack", "init", "test").status).toBe(0);
  });
  afterAll(() => {
    pulumi("destroy", "--yes", "--skip-preview");
    rmSync(folder, { recursive: true, force: true });
  });

  test("reads its config, secrets too, at once; its output is shown and its outputs are kept", () => {
    pulumi("config", "set", "plain", "a value");
    pulumi("config", "set", "--secret", "key", "s3cret");
    program(`
      import * as pulumi from "@pulumi/pulumi";
      const config = new pulumi.Config();
      const key: string = config.require("key");
      console.log("said while running");
      export const outputs = [config.require("plain"), key.length, pulumi.runtime.isDryRun()];
    `);
    const run = up();
    expect(run.status, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toContain("said while running");
    const outputs: unknown = JSON.parse(pulumi("stack", "output", "--json").stdout);
    expect(outputs).toEqual({ outputs: ["a value", 6, false] });
  });

  test("that throws a RunError shows its text without a stack trace, and changes nothing", () => {
    program(`
      import * as pulumi from "@pulumi/pulumi";
      throw new pulumi.RunError("services.backend.port: must be 1-65535");
    `);
    const run = up();
    expect(run.status).not.toBe(0);
    expect(run.stdout).toContain("services.backend.port: must be 1-65535");
    expect(run.stdout).not.toContain("index.ts");
  });

  test("whose engine is killed: the command does not go on, what it started apart does, the state is locked, and cancel and up converge", async () => {
    program(`
      import { local } from "@pulumi/command";
      new local.Command("slow", { create: "echo begun >> ${log}; sleep 2; echo ended >> ${log}" });
      new local.Command("handed", { create: "setsid sh -c 'sleep 1; echo alone >> ${log}' >/dev/null 2>&1 & sleep 2" });
    `);
    const engine = spawn("pulumi", ["up", "--yes", "--skip-preview"], { cwd: folder, env: environment() });
    await until(() => existsSync(log));
    engine.kill("SIGKILL");
    // As the runner on a host, which has a session of its own.
    await until(() => readFileSync(log, "utf8").includes("alone"));
    await sleep(3000);
    expect(readFileSync(log, "utf8")).not.toContain("ended");

    const locked = up();
    expect(locked.status).not.toBe(0);
    expect(locked.stdout + locked.stderr).toContain("pulumi cancel");
    expect(pulumi("cancel", "--yes").status).toBe(0);
    const next = up();
    expect(next.status, next.stdout + next.stderr).toBe(0);
    expect(
      readFileSync(log, "utf8")
        .match(/begun|ended/g)
        ?.slice(-2),
    ).toEqual(["begun", "ended"]);
    expect(up().stdout).toContain("3 unchanged");
  });
});

/** Waits until something holds, 20 s at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries === 200) throw new Error("did not come about within 20 s");
    await sleep(100);
  }
}
