import * as pulumi from "@pulumi/pulumi";
import { deployer } from "../deployer/name";
import type { Repository } from "../plan/found/deployer";
import { metIn, type MetInShort } from "../plan/found/met";
import type { Plan } from "../plan/release/plan";
import type { DescribedStack } from "../plan/release/stack";
import { type CreatedContainer, objectLine, planLines, tellingLines } from "../plan/release/wire";
import { fullName } from "../plan/wanted/names";
import { jobMessages } from "../plan/words/job";
import type { Database } from "./database";
import type { Host } from "./host";
import type { Proxy } from "./proxy";
import type { Service } from "./service";

/** What a release is made of: services in the order of the stack's. */
interface Parts {
  readonly database: Database | undefined;
  readonly services: readonly Service[];
  readonly proxy: Proxy;
}

/**
 * The release: one command that makes all changes on the host, so that its undo is whole; then a check of each
 * service that is new through the proxy, which changes nothing and gates the stack's outputs.
 */
export class Release extends pulumi.ComponentResource {
  /** The release's name, known once everything has been seen healthy. */
  readonly name: pulumi.Output<string>;
  /** Its number in the host's ledger; undefined in a preview of one that is to come. */
  readonly number: pulumi.Output<number | undefined>;
  /** What visitors met meanwhile. */
  readonly met: pulumi.Output<MetInShort | undefined>;

  constructor(
    host: Host,
    plan: Plan,
    stack: DescribedStack,
    { database, services, proxy }: Parts,
    repositories: readonly Repository[],
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:release:Release", "release", {}, options);
    const { config, builds } = host;
    const made: pulumi.Output<CreatedContainer>[] = [
      ...(database ? [database.container] : []),
      ...services.flatMap((service) => service.containers),
      ...proxy.containers,
    ];
    const images = stack.services.flatMap(({ image }) => (image === undefined ? [] : [image]));
    const sender = { by: deployer(), repositories };
    const lines = pulumi
      .all([pulumi.all(made), pulumi.all([...host.createdNetworks])])
      .apply(([created, networks]) => [
        ...planLines(plan, config, created, images, sender, networks),
        ...(stack.messenger === undefined
          ? []
          : tellingLines(jobMessages(config.notify.language, fullName(host.names)))),
        // What the builds of this run took is known by now: containers come after images.
        ...[...builds.measured].map(([service, mib]) => `measured ${service} ${mib}`),
      ]);
    // It tells the config, for the ledger: an environment is nobody's to read in the state.
    const release = host.script(`release-${plan.release}`, "deploy", pulumi.secret(lines), [plan.epoch], {
      parent: this,
      customTimeouts: { create: "60m" },
    });
    const checks = stack.services.flatMap(({ name, containers, container: { key, spec } }, i) => {
      if (containers.length === 0) return [];
      const serving = services[i]?.serving ?? [];
      const data = database && spec.networks.includes("data") ? database : undefined;
      return host.script(
        `health-${name}`,
        "check",
        pulumi.all([...serving, proxy.container]).apply((created) => checkLines(key, created)),
        // One that this release leaves alone was seen healthy when it came, and nothing that it stands between is new.
        [
          ...serving.map((one) => one.apply(idOf)),
          proxy.container.apply(idOf),
          ...(data ? [data.container.apply(idOf)] : []),
          JSON.stringify(spec.health),
        ],
        {
          parent: this,
          dependsOn: isTouched(plan, [name, "proxy", ...(data ? ["database"] : [])]) ? [release] : [],
        },
      );
    });
    // A preview shows what the outputs will be; an update has them only after the last check.
    this.name = pulumi.runtime.isDryRun()
      ? pulumi.output(plan.release)
      : pulumi.all([release.id, ...checks.map(({ stdout }) => stdout)]).apply(() => plan.release);
    const said = pulumi.unsecret(release.stdout);
    this.number = said.apply(numberIn);
    this.met = said.apply(metIn);
    this.registerOutputs({ name: this.name });
  }
}

/**
 * Whether this release changes anything for one of these. The check of what it leaves alone does not wait for it: Pulumi would
 * write down the new order of things for each, and that takes its time where there are many.
 */
function isTouched({ changes, steps }: Plan, services: readonly string[]): boolean {
  return (
    // By another host name, or another way, all are asked.
    steps.some(({ verb }) => verb === "site") ||
    changes.some(({ service, kind }) => kind !== "same" && services.includes(service))
  );
}

const idOf = ({ id }: CreatedContainer): string => id;

/** The runner says it as its last word. */
function numberIn(stdout: string): number | undefined {
  const number = /^this is release (\d+)$/m.exec(stdout)?.[1];
  return number === undefined ? undefined : Number(number);
}

function checkLines(key: string, created: readonly CreatedContainer[]): string[] {
  return [`key ${key}`, ...created.map(({ key: one, id, spec }) => objectLine(one, id, spec))];
}
