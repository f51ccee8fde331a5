import type { Command } from "commander";
import type { Selection } from "../pulumi";
import { runOnHost } from "../remote";
import { servingContainer } from "../serving";
import { factsOf, openStack } from "../stack";

export function addExec(ops: Command): void {
  ops
    .command("exec")
    .argument("<service>", "a service, or database, or proxy")
    .argument("[command...]", "a program and its arguments; sh if absent")
    .passThroughOptions()
    .description("runs a command in the container that serves")
    .action(async (service: string, words: string[], _options: unknown, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const { id } = servingContainer(await factsOf(stack), service);
      const terminal = process.stdin.isTTY && process.stdout.isTTY;
      const asked = words.length === 0 ? ["sh"] : words;
      process.exitCode = await runOnHost(
        stack.connection,
        ["docker", "exec", terminal ? "-it" : "-i", id, ...asked],
        terminal,
      );
    });
}
