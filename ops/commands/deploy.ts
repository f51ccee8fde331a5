import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { StackNames } from "../../plan/wanted/names";
import { agreed, needTerminal } from "../ask";
import { OpsError } from "../errors";
import { clearStaleLocks } from "../lock";
import { type Ended, runPulumi, type Selection, selectionFlags } from "../pulumi";
import { namesOf, openStack } from "../stack";
import { tellFailure } from "../tell";

interface Options extends Selection {
  readonly yes?: boolean;
}

export function addDeploy(ops: Command): void {
  ops
    .command("deploy")
    .description(
      "shows what pulumi up would do, asks, and does it; tells also of what fails before it begins",
    )
    .option("-y, --yes", "do not ask")
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      if (options.yes !== true) needTerminal();
      await deploy(await namesOf(options), options);
    });
}

/**
 * @param stop keeps what has not begun from beginning; `pulumi up` that has begun goes to its end
 * @throws OpsError when it was not done; whoever is to be told has been by then
 */
export async function deploy(names: StackNames, options: Options, stop?: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "deploy-"));
  const told = join(folder, "told");
  try {
    await attempt(names, options, told, stop);
  } catch (error) {
    // What the program has come to know of it has told itself; what was answered with no is nobody's news.
    const known = error instanceof Declined || existsSync(told);
    if (error instanceof OpsError && !known) await tellFailure(names, options, error.message);
    if (!(error instanceof Failed)) throw error;
    throw error.action === "up"
      ? new UpFailed(error.summary, error.interrupted)
      : new OpsError(error.summary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function attempt(
  names: StackNames,
  options: Options,
  told: string,
  stop: AbortSignal | undefined,
): Promise<void> {
  await openStack(options);
  const cleared = await clearStaleLocks(names);
  if (cleared !== undefined) console.log(cleared);
  const run = (...args: string[]) => runPulumi([...args, ...selectionFlags(options)], { DEPLOY_TOLD: told });
  stop?.throwIfAborted();
  expectDone("preview", await run("preview"));
  stop?.throwIfAborted();
  if (options.yes !== true && !(await agreed("Deploy this?"))) throw new Declined("Nothing was changed.");
  expectDone("up", await run("up", "--yes", "--skip-preview"));
}

/** `pulumi up` had begun: a release that the host has begun goes on there, whatever became of the connection. */
export class UpFailed extends OpsError {
  constructor(
    message: string,
    /** By Ctrl-C or the like. */
    readonly interrupted: boolean,
  ) {
    super(message);
  }
}

/** The person who deploys said no. */
class Declined extends OpsError {}

/** A run that has shown on the terminal why it failed. */
class Failed extends OpsError {
  constructor(
    readonly summary: string,
    readonly action: "preview" | "up",
    readonly interrupted: boolean,
    words: string,
  ) {
    super(words === "" ? summary : words);
  }
}

function expectDone(action: "preview" | "up", { code, interrupted, words }: Ended): void {
  if (code === 0) return;
  const what = `pulumi ${action}`;
  const summary = interrupted ? `${what} was interrupted` : `${what} failed with exit code ${code}`;
  throw new Failed(summary, action, interrupted, interrupted ? `${summary}\n${words}` : words);
}
