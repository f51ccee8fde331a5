import { Command, CommanderError } from "commander";
import { addCheck } from "./commands/check";
import { addDeploy } from "./commands/deploy";
import { addDoctor } from "./commands/doctor";
import { addDrift } from "./commands/drift";
import { addEnvImport } from "./commands/envImport";
import { addExec } from "./commands/exec";
import { addImportCompose } from "./commands/importCompose";
import { addJobs } from "./commands/jobs";
import { addLog } from "./commands/log";
import { addLogs } from "./commands/logs";
import { addReleases } from "./commands/releases";
import { addRollback } from "./commands/rollback";
import { addStatus } from "./commands/status";
import { OpsError } from "./errors";
import { EXIT } from "./exit";

/** What a person types besides pulumi: a table of contents, a command a file. */
export function program(): Command {
  const ops = new Command("ops")
    .description("Looks at a deployed stack and works on it, over the same connection as pulumi up.")
    .enablePositionalOptions()
    .showHelpAfterError()
    .exitOverride();
  addDeploy(ops);
  addReleases(ops);
  addRollback(ops);
  addStatus(ops);
  addDrift(ops);
  addLog(ops);
  addLogs(ops);
  addExec(ops);
  addJobs(ops);
  addCheck(ops);
  addDoctor(ops);
  addEnvImport(ops);
  addImportCompose(ops);
  addSelection(ops);
  return ops;
}

/** Which stack: before the command or after it, as with pulumi. */
function addSelection(command: Command): void {
  command
    .option("-s, --stack <name>", "the stack (else the one that pulumi has selected)")
    .option("--config-file <file>", "the stack's config file (else Pulumi.<stack>.yaml)");
  command.commands.forEach(addSelection);
}

/** @returns the exit code: docs/ops.md lists them */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof OpsError)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}
