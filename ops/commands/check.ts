import type { Command } from "commander";
import { askDeployer } from "../../deployer";
import { checklist } from "../../plan/checks/checklist";
import { planOf } from "../planning";
import { exitOf, renderOutcomes } from "../outcomes";
import { PROJECT, type Selection } from "../pulumi";
import { factsOf, openStack } from "../stack";

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
      console.log(
        options.json === true
          ? JSON.stringify(checked, null, 2)
          : renderOutcomes("check", checked, ({ check }) => check),
      );
      process.exitCode = exitOf(checked);
    });
}
