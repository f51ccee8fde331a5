import { type Command } from "commander";
import { suggestion } from "../../plan/config/errors";
import { stackLines } from "../../plan/release/wire";
import { stateFolder } from "../../plan/wanted/names";
import { askHost, HostUnreachable } from "../../host/askFacts";
import { OpsError } from "../errors";
import { EXIT } from "../exit";
import { type Job, readJobs, renderHistory, renderJobs } from "../jobs";
import type { Selection } from "../pulumi";
import { runOnHost } from "../remote";
import { type OpenStack, openStack } from "../stack";

interface Options {
  readonly json?: boolean;
  readonly run?: boolean;
}

export function addJobs(ops: Command): void {
  ops
    .command("jobs")
    .argument("[name]", "one of them: its runs, and what the last one has written")
    .description("what the host's cron runs: when last, with what result, and when next")
    .option("--run", "run this one now, and show what it writes")
    .option("--json", "for programs")
    .action(async (name: string | undefined, options: Options, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      if (options.run === true && name === undefined)
        throw new OpsError("which one? npm run ops -- jobs NAME --run", EXIT.usage);
      const { jobs, output } = await ask(stack, name === undefined ? [] : [`detail ${name}`]);
      const one = name === undefined ? undefined : among(jobs, name);
      if (options.run === true && one !== undefined) {
        const script = `${stateFolder(stack.names, stack.config.host)}/jobs/script`;
        process.exitCode = await runOnHost(stack.connection, ["sh", script, "now_job", one.name], false);
        return;
      }
      if (options.json === true)
        console.log(JSON.stringify(one === undefined ? { jobs } : { ...one, output }, null, 2));
      else console.log(one === undefined ? renderJobs(jobs) : renderHistory(one, output));
      const told = one === undefined ? jobs : [one];
      process.exitCode = told.some(({ failed }) => failed) ? EXIT.differs : EXIT.done;
    });
}

function among(jobs: readonly Job[], name: string): Job {
  const found = jobs.find((job) => job.name === name);
  if (found !== undefined) return found;
  const known = jobs.map((job) => job.name);
  throw new OpsError(
    known.length === 0
      ? "what serves has no jobs: configure some (docs/jobs.md), then pulumi up"
      : `there is no job ${JSON.stringify(name)}${suggestion(name, known)}`,
  );
}

async function ask({ config, names, connection }: OpenStack, more: readonly string[]) {
  try {
    return readJobs(
      await askHost(connection, "jobs", [...stackLines(names, config.host, 0, undefined), ...more]),
    );
  } catch (error) {
    if (error instanceof HostUnreachable) throw new OpsError(`${config.host.address}: ${error.message}`);
    throw error;
  }
}
