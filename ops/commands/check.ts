import type { Command } from "commander";
import { askDeployer } from "../../deployer";
import { type Checked, checklist } from "../../plan/checks/checklist";
import { colors } from "../colors";
import { EXIT } from "../exit";
import { planOf } from "../planning";
import { PROJECT, type Selection } from "../pulumi";
import { factsOf, openStack } from "../stack";
import { table } from "../table";

export function addCheck(ops: Command): void {
  ops
    .command("check")
    .description(
      "goes through the checklist before a deploy: exit code 0 all as wanted, 2 warnings, 1 a stop",
    )
    .option("--json", "for programs")
    .action(async (options: { json?: boolean }, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const facts = await factsOf(stack);
      const { config, plan } = planOf(stack, facts);
      const checked = checklist(config, facts, askDeployer(PROJECT, config, true), plan);
      console.log(options.json === true ? JSON.stringify(checked, null, 2) : renderChecklist(checked));
      process.exitCode = exitOf(checked);
    });
}

export function exitOf(checked: readonly Checked[]): number {
  if (checked.some(({ outcome }) => outcome === "stop")) return EXIT.failed;
  return checked.some(({ outcome }) => outcome === "warn") ? EXIT.differs : EXIT.done;
}

export function renderChecklist(checked: readonly Checked[]): string {
  const paint = { pass: colors.green, warn: colors.yellow, stop: colors.red };
  return table(
    ["", "check", "found"],
    checked.map(({ check, outcome, words }) => [paint[outcome](outcome), check, words]),
  );
}
