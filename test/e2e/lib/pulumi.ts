import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { pause, run } from "./command";
import { changesOf, readEvents, type ResourceChange } from "./events";
import type { Workspace } from "./workspace";

/** How a run of the CLI ended. */
export interface Outcome {
  /** Null when it was killed. */
  readonly code: number | null;
  /** stdout and stderr as they came. */
  readonly text: string;
  readonly seconds: number;
  readonly resources: readonly ResourceChange[];
  /** `create Container frontend-1a2b`, for all that did not stay the same. */
  readonly changes: readonly string[];
}

const LIMIT_MS = 300_000;

/** The Pulumi CLI in a workspace, as a person runs it, with a state backend of its own. */
export class Pulumi {
  readonly env: NodeJS.ProcessEnv;
  private runs = 0;

  constructor(
    private readonly workspace: Workspace,
    env: NodeJS.ProcessEnv,
  ) {
    this.env = {
      ...process.env,
      ...env,
      PULUMI_BACKEND_URL: `file://${workspace.state}`,
      // The event log is one of the options for those who debug.
      PULUMI_DEBUG_COMMANDS: "true",
    };
  }

  async init(): Promise<void> {
    await this.short("stack", "init", this.workspace.stack);
    await this.workspace.keepConfig();
  }

  up(...options: string[]): Promise<Outcome> {
    return this.begin("up", "--yes", "--skip-preview", ...options).end;
  }

  preview(...options: string[]): Promise<Outcome> {
    return this.begin("preview", ...options).end;
  }

  destroy(): Promise<Outcome> {
    return this.begin("destroy", "--yes", "--skip-preview").end;
  }

  async cancel(): Promise<void> {
    await this.short("cancel", "--yes");
  }

  async outputs(): Promise<Record<string, unknown>> {
    const text = await this.short("stack", "output", "--json");
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  }

  /** As a person does who does not want it in an argument list: from stdin. */
  async setSecret(path: string, value: string): Promise<void> {
    const { folder: cwd, stack } = this.workspace;
    const args = ["config", "set", "--secret", "--path", `artsvao:${path}`, "--stack", stack];
    await run("pulumi", args, { cwd, env: this.env, input: value });
  }

  /** What the state backend keeps, as `pulumi stack export` shows it to anyone without the passphrase. */
  exportedState(): Promise<string> {
    return this.short("stack", "export");
  }

  /**
   * An `up` that may be killed on its way.
   * @param ownGroup as a shell starts it: Ctrl-C reaches it and what it starts, and not the test
   */
  startUp({ ownGroup = false } = {}): Running {
    return this.start(["up", "--yes", "--skip-preview"], ownGroup);
  }

  /**
   * What the last run has told, as events. Less what Pulumi's own SDK says for its debugging: it holds what resources answer,
   * and is written on demand only.
   */
  async toldEvents(): Promise<string> {
    const events = (await readFile(this.eventLog, "utf8")).split("\n");
    return events.filter((line) => !line.includes('"severity":"debug"')).join("\n");
  }

  /** The engine's events of the newest run. One file for each: two may be under way at once. */
  get eventLog(): string {
    return join(this.workspace.folder, "events", `${this.runs}.jsonl`);
  }

  private begin(command: string, ...options: string[]): Running {
    return this.start([command, ...options], false);
  }

  private start(command: readonly string[], ownGroup: boolean): Running {
    this.runs += 1;
    const args = [...command, "--non-interactive", "--color", "never", "--event-log", this.eventLog];
    return new Running(args, this.eventLog, this.workspace, this.env, ownGroup);
  }

  private short(...args: string[]): Promise<string> {
    const { folder: cwd, stack } = this.workspace;
    const where = args[1] === "init" ? [] : ["--stack", stack];
    return run("pulumi", [...args, ...where, "--non-interactive", "--color", "never"], {
      cwd,
      env: this.env,
    });
  }
}

/** A run in progress. */
export class Running {
  readonly end: Promise<Outcome>;
  private text = "";
  private ended = false;
  private child: ChildProcess | undefined;

  constructor(
    args: readonly string[],
    private readonly log: string,
    private readonly workspace: Workspace,
    private readonly env: NodeJS.ProcessEnv,
    private readonly ownGroup: boolean,
  ) {
    this.end = this.follow(args);
  }

  /**
   * Waits until the output has a text; asked every 10 ms.
   * @throws Error when the run ends without it
   */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (this.ended) throw new Error(`pulumi ended without saying ${String(pattern)}:\n${this.text}`);
      await pause(10);
    }
  }

  /** As the kernel kills: the process of the CLI alone. Its plugins and their children may live on. */
  kill(): void {
    this.child?.kill("SIGKILL");
  }

  /** As Ctrl-C does: SIGINT for its whole process group. */
  interrupt(): void {
    if (!this.ownGroup || this.child?.pid === undefined)
      throw new Error("it has no process group of its own");
    if (!this.ended) process.kill(-this.child.pid, "SIGINT");
  }

  private async follow(args: readonly string[]): Promise<Outcome> {
    await rm(this.log, { force: true });
    const began = performance.now();
    const { folder: cwd, stack } = this.workspace;
    const child = spawn("pulumi", [...args, "--stack", stack], {
      cwd,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: this.ownGroup,
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.text += text));
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    // "exit" and not "close": what outlives a killed run holds its output open.
    const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, "exit"));
    clearTimeout(timer);
    const seconds = (performance.now() - began) / 1000;
    // What it wrote last may still be in the pipe.
    await pause(50);
    this.ended = true;
    child.stdout.destroy();
    child.stderr.destroy();
    const resources = await readEvents(this.log);
    return { code, text: this.text, seconds, resources, changes: changesOf(resources) };
  }
}
