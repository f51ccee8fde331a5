import { type Command, InvalidArgumentError } from "commander";
import type { Selection } from "../pulumi";
import { runOnHost } from "../remote";
import { servingContainer } from "../serving";
import { factsOf, openStack } from "../stack";

interface Options {
  readonly follow?: boolean;
  readonly tail: string;
  readonly timestamps?: boolean;
}

export function addLogs(ops: Command): void {
  ops
    .command("logs")
    .argument("<service>", "a service, or database, or proxy")
    .description("what the version that serves has written")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --tail <lines>", "how many of the last lines, or all", lineCount, "100")
    .option("-t, --timestamps", "with the time of each line")
    .action(async (service: string, options: Options, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const { id } = servingContainer(await factsOf(stack), service);
      const flags = [
        ...(options.follow === true ? ["--follow"] : []),
        ...(options.timestamps === true ? ["--timestamps"] : []),
      ];
      const words = ["docker", "logs", "--tail", options.tail, ...flags, id];
      process.exitCode = await runOnHost(stack.connection, words, false);
    });
}

export function lineCount(text: string): string {
  if (/^([0-9]{1,9}|all)$/.test(text)) return text;
  throw new InvalidArgumentError("must be a number of lines, or all");
}
