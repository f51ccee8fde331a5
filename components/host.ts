import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hostCommand, hostScript } from "../host/bundle";
import { type Connection, connectionTo } from "../host/connection";
import type { Config } from "../plan/config/schema";
import type { Facts } from "../plan/found/facts";
import { generation } from "../plan/found/present";
import { type CreatedNetwork, stackLines } from "../plan/release/wire";
import { providerLogins } from "../plan/wanted/logins";
import { fullName, STACK_LABEL, type StackNames, volumeName } from "../plan/wanted/names";
import { Builds } from "./builds";
import type { Claim } from "./claim";

/** The machine: how it is reached, what it told, its networks, and the one resource that tears all down. */
export class Host extends pulumi.ComponentResource {
  readonly connection: Connection;
  readonly provider: docker.Provider;
  /** For every resource on the host: made through this provider, after the networks, gone before the teardown. */
  readonly childOptions: { readonly provider: docker.Provider; readonly dependsOn: pulumi.Resource[] };
  /** Names as the engine knows them. */
  readonly networks: {
    readonly edge: pulumi.Output<string>;
    readonly data: pulumi.Output<string> | undefined;
  };
  /** The same, for the runner. */
  readonly createdNetworks: readonly pulumi.Output<CreatedNetwork>[];
  readonly builds: Builds;
  readonly stackLabels: { label: string; value: string }[];
  private readonly volumes = new Map<string, docker.Volume>();

  constructor(
    name: string,
    readonly config: Config,
    readonly names: StackNames,
    readonly facts: Facts,
    private readonly claim: Claim,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:host:Host", name, {}, options);
    this.connection = connectionTo(config.host);
    this.builds = new Builds(this.connection, facts, () => this.stackLines());
    this.stackLabels = [{ label: STACK_LABEL, value: fullName(names) }];

    const logins = providerLogins(config.registries);
    this.provider = new docker.Provider(
      name,
      {
        host: this.connection.dockerHost,
        sshOpts: [...this.connection.sshOptions],
        ...(logins.length === 0 ? {} : { registryAuth: pulumi.secret(logins) }),
      },
      { parent: this },
    );
    const edge = this.network("edge", false);
    const data = config.database === undefined ? undefined : this.network("data", true);
    this.networks = { edge: edge.name, data: data?.name };
    this.createdNetworks = [this.created("edge", edge), ...(data ? [this.created("data", data)] : [])];
    const teardown = this.teardown(data === undefined ? [edge] : [edge, data]);
    this.childOptions = { provider: this.provider, dependsOn: [teardown] };
    this.registerOutputs({});
  }

  /**
   * A volume of the stack, made once for all who use it. None is Pulumi's to delete: one that holds data outlives
   * `pulumi destroy`, and the proxy's is in use until the teardown has removed the containers, and goes with them.
   */
  volume(name: string, role: "data" | "proxy", fullName = volumeName(this.names, name)): docker.Volume {
    const made = this.volumes.get(fullName);
    if (made !== undefined) return made;
    const times = generation(this.facts, `volume:${fullName}`);
    const volume = new docker.Volume(
      `${name}-volume`,
      {
        name: fullName,
        labels: [
          ...this.stackLabels,
          { label: "deploy.role", value: role },
          ...(times === 0 ? [] : [{ label: "deploy.made", value: String(times) }]),
        ],
      },
      {
        ...this.childOptions,
        parent: this,
        retainOnDelete: true,
        deleteBeforeReplace: false,
        // One that was made by hand has other labels, and cannot be given these: it is used as it is.
        ignoreChanges: ["labels"],
        // Made anew, with its labels, exactly when it is gone.
        replacementTrigger: times,
      },
    );
    this.volumes.set(fullName, volume);
    return volume;
  }

  /** A script on the host: given on stdin, run by its sh, its output shown as progress. */
  script(
    name: string,
    action: "deploy" | "check",
    payload: pulumi.Input<string[]>,
    triggers: unknown[],
    options: pulumi.CustomResourceOptions,
  ): command.local.Command {
    return new command.local.Command(
      name,
      {
        interpreter: [...this.connection.interpreter],
        create: hostCommand(action),
        stdin: pulumi.output(payload).apply((lines) => hostScript(action, [...this.stackLines(), ...lines])),
        triggers,
        addPreviousOutputInEnv: false,
        logging: command.local.Logging.StdoutAndStderr,
      },
      // What the host holds shapes the plan; only a trigger makes a finished script run again.
      { ...options, ignoreChanges: ["create", "stdin", "interpreter", "logging"] },
    );
  }

  stackLines(): string[] {
    return stackLines(this.names, this.config.host, this.config.host.lockWait, this.claim.lineage);
  }

  private network(kind: "edge" | "data", internal: boolean): docker.Network {
    // No fixed name: one left by a killed run never stands in the way. The teardown removes it by its label.
    return new docker.Network(
      `${this.names.project}-${this.names.stack}-${kind}`,
      { driver: "bridge", internal, labels: this.stackLabels },
      {
        parent: this,
        provider: this.provider,
        dependsOn: [this.claim.resource],
        // Made anew exactly when it is gone; the runner then connects the containers to it.
        replacementTrigger: generation(this.facts, `network:${kind}`),
        deleteBeforeReplace: false,
        // The teardown removes it, and a sweep the one that it replaced. Pulumi would wait half a minute and fail as long
        // as anybody is in it.
        retainOnDelete: true,
      },
    );
  }

  private created(kind: CreatedNetwork["kind"], { id, name }: docker.Network): pulumi.Output<CreatedNetwork> {
    const made = generation(this.facts, `network:${kind}`);
    return pulumi.all([id, name]).apply(([one, full]) => ({ kind, id: one, name: full, generation: made }));
  }

  /**
   * Everything else depends on this, so destroy reaches it last but for the networks; its delete removes the
   * containers, which Pulumi itself never does.
   */
  private teardown(networks: docker.Network[]): command.local.Command {
    return new command.local.Command(
      "teardown",
      {
        interpreter: [...this.connection.interpreter],
        create: ":",
        delete: hostCommand("teardown"),
        stdin: this.claim.machine.apply((machine) =>
          hostScript("teardown", [...this.stackLines(), `machine ${machine}`]),
        ),
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: networks },
    );
  }
}
