import { routesScript } from "../../../host/bundle";
import type { Config } from "../../../plan/config/schema";
import type { Plan } from "../../../plan/release/plan";
import { planRelease } from "../../../plan/release/release";
import { describeStack } from "../../../plan/release/stack";
import { planLines } from "../../../plan/release/wire";
import { NAMES } from "./stacks";
import type { Outcome, World } from "./world";

/** A release that is ready to run: planned from what the host told, its containers made, nothing started. */
export interface Prepared {
  readonly plan: Plan;
  /** What the runner is told, without the lines that name the host's folders. */
  readonly lines: readonly string[];
  /** The keys of all containers that it wants. */
  readonly keys: readonly string[];
}

/** What `pulumi up` does before the release command runs. */
export function prepare(
  world: World,
  config: Config,
  script = routesScript(),
  facts = world.knownFacts(),
): Prepared {
  const stack = describeStack(world.dir, config, NAMES, facts);
  const plan = planRelease(config, stack, facts, script);
  const described = [
    ...(stack.database ? [stack.database] : []),
    ...stack.services.flatMap(({ migration, container }) =>
      migration ? [migration, container] : [container],
    ),
    stack.proxy,
    ...stack.beside,
  ];
  const kinds = new Set(described.flatMap(({ spec }) => spec.networks));
  const networks = [...kinds].map((kind) => world.createNetwork(kind, facts));
  for (const { name, generation } of plan.volumes) world.createVolume(name, generation);
  const created = described.map((one) => world.createContainer(one, facts, passwordOf));
  return {
    plan,
    keys: created.map(({ key }) => key),
    lines: planLines(plan, config, created, [], { by: "tester@desk", repositories: [] }, networks),
  };
}

export function passwordOf(version: number): string {
  return `pass-word-${version}`;
}

export function release(world: World, { lines }: Prepared): Promise<Outcome> {
  return world.run("deploy", lines);
}

/** A host on which this config serves. */
export async function deployed(world: World, config: Config): Promise<Prepared> {
  const prepared = prepare(world, config);
  const { code, output } = await release(world, prepared);
  if (code !== 0) throw new Error(`the release that the test begins with failed:\n${output}`);
  return prepared;
}
