import * as pulumi from "@pulumi/pulumi";
import { askDeployer } from "../deployer";
import { type Checked, checklist, describe } from "../plan/checks/checklist";
import type { Config } from "../plan/config/schema";
import type { Repository } from "../plan/found/deployer";
import type { Facts } from "../plan/found/facts";
import type { Plan } from "../plan/release/plan";

/**
 * Goes through the checklist before anything is changed: a preview shows it with the plan; an `up` ends here if one says
 * stop.
 *
 * @param root the project's folder
 * @throws RunError
 */
export function goThroughChecklist(
  root: string,
  config: Config,
  facts: Facts,
  plan: Plan,
): { checked: readonly Checked[]; repositories: readonly Repository[] } {
  const preview = pulumi.runtime.isDryRun();
  const deployer = askDeployer(root, config, !preview);
  const { repositories } = deployer;
  const checked = checklist(config, facts, deployer, plan);
  if (preview) return { checked, repositories };
  for (const one of checked.filter(({ outcome }) => outcome === "warn"))
    void pulumi.log.warn(describe(one).trim());
  const stops = checked.filter(({ outcome }) => outcome === "stop");
  if (stops.length === 0) return { checked, repositories };
  throw new pulumi.RunError(
    `${stops.map(({ check, words }) => `checks.${check}: ${words}`).join("\n")}\n` +
      "Nothing was changed. Put it right, or set the check's level to warn in the stack's config.",
  );
}
