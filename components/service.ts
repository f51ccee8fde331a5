import * as pulumi from "@pulumi/pulumi";
import type { DescribedService } from "../plan/release/stack";
import type { CreatedContainer } from "../plan/release/wire";
import type { NamedContainer } from "../plan/wanted/container";
import { serviceVolume } from "../plan/wanted/names";
import { createContainer } from "./container";
import type { Host } from "./host";
import { builtImage, pulledImage } from "./image";

/** A service: its image, its containers, its volumes, the one-off container of its migration, and those of its jobs. */
export class Service extends pulumi.ComponentResource {
  readonly containers: readonly pulumi.Output<CreatedContainer>[];
  /** Those that serve: one, or its replicas. */
  readonly serving: readonly pulumi.Output<CreatedContainer>[];

  constructor(
    host: Host,
    described: DescribedService,
    password: pulumi.Output<string> | undefined,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const { name, config, container, migration, image: choice } = described;
    super("deploy:service:Service", name, {}, options);
    const image =
      choice === undefined
        ? pulledImage(host, name, container.spec.image, this)
        : builtImage(host, choice, this);
    const volumes = config.volumes.map((volume) =>
      host.volume(volume.name, "data", serviceVolume(host.names, volume)),
    );
    const create = (one: NamedContainer) => createContainer(host, one, password, this, image, volumes);
    const before = migration ? [create(migration)] : [];
    this.serving = described.containers.map(create);
    this.containers = [...before, ...this.serving, ...described.jobs.map(create)];
    this.registerOutputs({});
  }
}
