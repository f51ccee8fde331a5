import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "../../ops/main";

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  logs: ["web"],
  exec: ["web", "ls", "-s", "x"],
  import: ["file"],
  compose: ["compose.yaml"],
};

function leaves(command: Command, path: readonly string[] = []): string[][] {
  return command.commands.flatMap((one) =>
    one.commands.length > 0 ? leaves(one, [...path, one.name()]) : [[...path, one.name()]],
  );
}

/** What a command would be told of the stack. */
async function selection(path: readonly string[], words: readonly string[]): Promise<unknown> {
  const ops = program();
  const command = path.reduce<Command | undefined>(
    (found, name) => found?.commands.find((one) => one.name() === name),
    ops,
  );
  let told: unknown;
  command?.action(() => {
    const { stack, configFile } = command.optsWithGlobals<{ stack?: string; configFile?: string }>();
    told = { stack, configFile };
  });
  await ops.parseAsync([...words], { from: "user" });
  return told;
}

describe("the stack is chosen before a command or after it", () => {
  it.each(leaves(program()).map((path) => [path.join(" "), path] as const))("%s", async (_, path) => {
    const which = ["--stack", "prod", "--config-file", "other.yaml"];
    const more = ARGUMENTS[path.at(-1) ?? ""] ?? [];
    const wanted = { stack: "prod", configFile: "other.yaml" };
    expect(await selection(path, [...which, ...path, ...more])).toEqual(wanted);
    expect(await selection(path, [...path, ...which, ...more])).toEqual(wanted);
    expect(await selection(path, [...path, ...more])).toEqual({ stack: undefined, configFile: undefined });
  });
});
