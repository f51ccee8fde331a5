import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/release";
import type { DescribedStack } from "../plan/stack";
import { type CreatedContainer, objectLine, planLines } from "../plan/wire";
import { deployer } from "../deployer/name";
import type { Host } from "./host";

/**
 * The release: one command that makes all changes on the host, so that its undo is whole; then a check of each
 * service through the proxy, which changes nothing and gates the stack's outputs.
 */
export class Release extends pulumi.ComponentResource {
  /** The release's name, known once everything has been seen healthy. */
  readonly name: pulumi.Output<string>;

  constructor(
    host: Host,
    plan: Plan,
    stack: DescribedStack,
    containers: readonly pulumi.Output<CreatedContainer>[],
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:release:Release", "release", {}, options);
    const { config, builds } = host;
    const images = stack.services.flatMap(({ image }) => (image === undefined ? [] : [image]));
    const lines = pulumi
      .all([pulumi.all([...containers]), pulumi.all([...host.createdNetworks])])
      .apply(([created, networks]) => [
        ...planLines(plan, config, created, images, deployer(), networks),
        // What the builds of this run took is known by now: containers come after images.
        ...[...builds.measured].map(([service, mib]) => `measured ${service} ${mib}`),
      ]);
    const release = host.script(`release-${plan.release}`, "deploy", lines, [plan.epoch], {
      parent: this,
      customTimeouts: { create: "60m" },
    });
    const checks = stack.services.map(({ name, container }) =>
      host.script(
        `health-${name}`,
        "check",
        pulumi.all([...containers]).apply((created) => checkLines(container.key, created)),
        [plan.release, plan.epoch],
        { parent: this, dependsOn: [release] },
      ),
    );
    // A preview shows what the outputs will be; an update has them only after the last check.
    this.name = pulumi.runtime.isDryRun()
      ? pulumi.output(plan.release)
      : pulumi.all(checks.map(({ stdout }) => stdout)).apply(() => plan.release);
    this.registerOutputs({ name: this.name });
  }
}

function checkLines(key: string, created: readonly CreatedContainer[]): string[] {
  return [`key ${key}`, ...created.map(({ key: one, id, spec }) => objectLine(one, id, spec))];
}
