import * as pulumi from "@pulumi/pulumi";
import { contextProblem } from "../deployer/localEngine";
import { askFacts, HostUnreachable } from "../host/askFacts";
import { connectionTo } from "../host/connection";
import type { Config } from "../plan/config/schema";
import { type Facts, NO_FACTS } from "../plan/found/facts";
import { factLines } from "../plan/release/wire";
import type { StackNames } from "../plan/wanted/names";

/**
 * What the host tells, before any resource. In a preview an unreachable host is a warning; a real `up` stops before it
 * changes anything.
 *
 * @throws RunError
 */
export async function readFacts(config: Config, names: StackNames): Promise<Facts> {
  const preview = pulumi.runtime.isDryRun();
  const asked = ask(config, names, preview ? 0 : config.host.lockWait);
  // While the host answers.
  const elsewhere = contextProblem(config.host.address);
  const facts = await asked;
  if (elsewhere !== undefined) throw new pulumi.RunError(`${elsewhere}\nNothing was changed.`);
  const problems = [
    ...facts.errors,
    ...platformProblem(config, facts),
    ...(facts.active !== undefined && !preview
      ? [`another release is at work: ${facts.active}. Run 'pulumi up' again when it is done`]
      : []),
  ];
  if (problems.length === 0) return facts;
  const text = `${config.host.address}: ${problems.join("\n")}`;
  if (!preview) throw new pulumi.RunError(`${text}\nNothing was changed.`);
  void pulumi.log.warn(`${text}\nThis preview cannot tell what is on the host; 'pulumi up' would stop here.`);
  return facts;
}

async function ask(config: Config, names: StackNames, wait: number): Promise<Facts> {
  try {
    return await askFacts(connectionTo(config.host), factLines(names, config, wait), wait);
  } catch (error) {
    if (error instanceof HostUnreachable) return { ...NO_FACTS, errors: [error.message] };
    throw error;
  }
}

function platformProblem({ host }: Config, { platform }: Facts): string[] {
  if (host.platform === undefined || platform === undefined) return [];
  // The engine does not tell its variant: linux/arm/v7 fits linux/arm.
  if (`${host.platform}/`.startsWith(`${platform}/`)) return [];
  return [`host.platform: is ${host.platform}, but the host's engine is ${platform}`];
}
