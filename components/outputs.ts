import * as pulumi from "@pulumi/pulumi";
import { localEngineProblem } from "../deployer/localEngine";
import { type Checked, summarize } from "../plan/checks/checklist";
import type { Config } from "../plan/config/schema";
import type { Facts } from "../plan/found/facts";
import type { ImageChoice } from "../plan/release/images";
import type { Plan } from "../plan/release/plan";
import type { Pin } from "../plan/release/rollback";
import type { DescribedStack } from "../plan/release/stack";
import { explain, explainPin } from "../plan/words/explain";

/**
 * An `up` that cannot do what is configured stops here, before anything on the host; a preview too.
 *
 * @throws RunError
 */
export function checkPlan(
  plan: Plan,
  stack: DescribedStack,
  config: Config,
  facts: Facts,
  pin: Pin | undefined,
): void {
  const refusals = [...stack.refusals, ...plan.refusals];
  const builds = buildRefusals(imagesOf(stack));
  if (refusals.length + builds.length === 0) return;
  const text = `${[...refusals, ...builds].join("\n")}\nNothing was changed.`;
  // Another machine may build what this one cannot.
  if (pulumi.runtime.isDryRun() && refusals.length === 0) {
    void pulumi.log.warn(text);
    return;
  }
  showPlan(plan, stack, config, facts, [], pin);
  throw new pulumi.RunError(text);
}

/** In a preview. */
export function showPlan(
  plan: Plan,
  stack: DescribedStack,
  config: Config,
  facts: Facts,
  checked: readonly Checked[],
  pin: Pin | undefined,
): void {
  if (!pulumi.runtime.isDryRun()) return;
  const notes = [...explainPin(pin), ...stack.notes].map((note) => `  ${note}`);
  const list = checked.length === 0 ? [] : [summarize(checked)];
  void pulumi.log.info([explain(plan, config, facts, imagesOf(stack)), ...notes, ...list].join("\n"));
}

function imagesOf({ services }: DescribedStack): ImageChoice[] {
  return services.flatMap(({ image }) => (image === undefined ? [] : [image]));
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
    stack.services.map(({ name, container, build }) => [
      name,
      {
        version: container.key,
        image: container.spec.image,
        ...(build === undefined ? {} : { why: build.why }),
      },
    ]),
  );
}
