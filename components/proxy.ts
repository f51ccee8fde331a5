import * as pulumi from "@pulumi/pulumi";
import type { CreatedContainer } from "../plan/release/wire";
import type { NamedContainer } from "../plan/wanted/container";
import { createContainer } from "./container";
import type { Host } from "./host";
import { pulledImage } from "./image";

/**
 * nginx: the only container with a published port. What it serves is written into its volume by the runner. And who tells of
 * jobs, for whom its image has all that is needed.
 */
export class Proxy extends pulumi.ComponentResource {
  readonly container: pulumi.Output<CreatedContainer>;
  readonly containers: readonly pulumi.Output<CreatedContainer>[];

  constructor(
    name: string,
    host: Host,
    described: NamedContainer,
    messenger: NamedContainer | undefined,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:proxy:Proxy", name, {}, options);
    const volume = host.volume(name, "proxy");
    const image = pulledImage(host, name, described.spec.image, this);
    this.container = createContainer(host, described, undefined, this, image, [volume]);
    const told = messenger && createContainer(host, messenger, undefined, this, image, []);
    this.containers = [this.container, ...(told ? [told] : [])];
    this.registerOutputs({});
  }
}
