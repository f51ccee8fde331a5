import type { Command } from "commander";
import { logFile } from "../../plan/wanted/names";
import type { Selection } from "../pulumi";
import { runOnHost } from "../remote";
import { openStack } from "../stack";
import { lineCount } from "./logs";

interface Options {
  readonly follow?: boolean;
  readonly tail: string;
}

export function addLog(ops: Command): void {
  ops
    .command("log")
    .description("the deploy log: a line for each release that began, ended, failed")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --tail <lines>", "how many of the last lines, or all", lineCount, "50")
    .action(async (options: Options, command: Command) => {
      const { names, config, connection } = await openStack(command.optsWithGlobals<Selection>());
      // From the first line on: tail has no word for all.
      const lines = options.tail === "all" ? "+1" : options.tail;
      const words = [
        "tail",
        "-n",
        lines,
        ...(options.follow === true ? ["-F"] : []),
        logFile(names, config.host),
      ];
      process.exitCode = await runOnHost(connection, words, false);
    });
}
