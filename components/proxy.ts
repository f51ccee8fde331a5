import * as pulumi from "@pulumi/pulumi";
import type { CreatedContainer } from "../plan/release/wire";
import type { NamedContainer } from "../plan/wanted/container";
import { createContainer } from "./container";
import type { Host } from "./host";
import { pulledImage } from "./image";

/** nginx: the only container with a published port. What it serves is written into its volume by the runner. */
export class Proxy extends pulumi.ComponentResource {
  readonly container: pulumi.Output<CreatedContainer>;

  constructor(
    name: string,
    host: Host,
    described: NamedContainer,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:proxy:Proxy", name, {}, options);
    const volume = host.volume(name, "proxy");
    const image = pulledImage(host, name, described.spec.image, this);
    this.container = createContainer(host, described, undefined, this, image, [volume]);
    this.registerOutputs({});
  }
}
