import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../plan/config/schema";
import { localEngineProblem } from "../host/localEngine";
import { explain } from "../plan/explain";
import type { Facts } from "../plan/facts";
import type { ImageChoice } from "../plan/images";
import type { Plan } from "../plan/release";
import type { DescribedStack } from "../plan/stack";

/** Shows the plan in a preview; an `up` that cannot do what is configured stops here, before any resource. */
export function showPlan(plan: Plan, stack: DescribedStack, config: Config, facts: Facts): void {
  const images = stack.services.flatMap(({ image }) => (image === undefined ? [] : [image]));
  const preview = pulumi.runtime.isDryRun();
  if (preview) void pulumi.log.info(explain(plan, config, facts, images));
  const refusals = [...plan.refusals, ...buildRefusals(images)];
  if (refusals.length === 0) return;
  const text = `${refusals.join("\n")}\nNothing was changed.`;
  // Another machine may do what this one cannot.
  if (preview && plan.refusals.length === 0) void pulumi.log.warn(text);
  else throw new pulumi.RunError(text);
}

/** What is to be built on this machine needs an engine here. */
function buildRefusals(images: readonly ImageChoice[]): string[] {
  const here = images.filter(({ place, builds }) => builds && place === "local");
  const problem = here.length === 0 ? undefined : localEngineProblem();
  if (problem === undefined) return [];
  return here.map(
    ({ service, why }) =>
      `services.${service}: ${why}; but this machine cannot build it: ${problem}. Start Docker here; or set ` +
      `build: host to build on the host all the same; or set services.${service}.buildMemory to what it really needs`,
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
