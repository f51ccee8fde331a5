import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../plan/config/schema";
import { explain } from "../plan/explain";
import type { Facts } from "../plan/facts";
import type { Plan } from "../plan/release";
import type { DescribedStack } from "../plan/stack";

/** Shows the plan in a preview; an `up` that cannot do what is configured stops here, before any resource. */
export function showPlan(plan: Plan, config: Config, facts: Facts): void {
  if (pulumi.runtime.isDryRun()) void pulumi.log.info(explain(plan, config, facts));
  if (plan.refusals.length > 0)
    throw new pulumi.RunError(`${plan.refusals.join("\n")}\nNothing was changed.`);
}

export function siteUrl({ domain, http, tls }: Config): string {
  const [scheme, port, usual] = tls === undefined ? ["http", http.port, 80] : ["https", tls.port, 443];
  return `${scheme}://${domain[0] ?? "localhost"}${port === usual ? "" : `:${port}`}`;
}

export function versions(
  stack: DescribedStack,
): Record<string, { version: string; image: string; why?: string }> {
  return Object.fromEntries(
    stack.services.map(({ name, container, build, why }) => [
      name,
      { version: container.key, image: container.spec.image, ...(build === undefined ? {} : { why }) },
    ]),
  );
}
