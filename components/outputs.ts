import * as pulumi from "@pulumi/pulumi";
import { type Checked, summarize } from "../plan/checklist";
import type { Config } from "../plan/config/schema";
import { explain } from "../plan/explain";
import type { Facts } from "../plan/facts";
import type { Plan } from "../plan/release";
import type { DescribedStack } from "../plan/stack";

/**
 * An `up` that cannot do what is configured stops here, before anything on the host; a preview too.
 *
 * @throws RunError
 */
export function checkPlan(plan: Plan, stack: DescribedStack, config: Config, facts: Facts): void {
  const refusals = [...stack.refusals, ...plan.refusals];
  if (refusals.length === 0) return;
  showPlan(plan, stack, config, facts, []);
  throw new pulumi.RunError(`${refusals.join("\n")}\nNothing was changed.`);
}

/** In a preview. */
export function showPlan(
  plan: Plan,
  { notes }: DescribedStack,
  config: Config,
  facts: Facts,
  checked: readonly Checked[],
): void {
  if (!pulumi.runtime.isDryRun()) return;
  const list = checked.length === 0 ? [] : [summarize(checked)];
  void pulumi.log.info(
    [explain(plan, config, facts), ...notes.map((note) => `  ${note}`), ...list].join("\n"),
  );
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
