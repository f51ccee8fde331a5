import { routesScript } from "../host/bundle";
import { ConfigError } from "../plan/config/errors";
import type { Config } from "../plan/config/schema";
import type { Plan } from "../plan/release/plan";
import type { Facts } from "../plan/found/facts";
import { planRelease } from "../plan/release/release";
import { pinned } from "../plan/release/rollback";
import { type DescribedStack, describeStack } from "../plan/release/stack";
import { ContextError } from "../plan/wanted/context/problem";
import { OpsError } from "./errors";
import { PROJECT } from "./pulumi";
import type { OpenStack } from "./stack";

/** What `pulumi up` would do now, as it plans it itself. @throws OpsError when it would refuse */
export function planOf(
  { config: configured, names }: OpenStack,
  facts: Facts,
): { config: Config; stack: DescribedStack; plan: Plan } {
  try {
    const { config, pin } = pinned(configured, facts);
    const stack = describeStack(PROJECT, config, names, facts, pin);
    return { config, stack, plan: planRelease(config, stack, facts, routesScript()) };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof ContextError) throw new OpsError(error.message);
    throw error;
  }
}
