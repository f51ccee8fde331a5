import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { DatabaseConfig } from "../plan/config/schema";
import type { CreatedContainer } from "../plan/release/wire";
import { databaseVolume, type NamedContainer } from "../plan/wanted/container";
import { createContainer } from "./container";
import type { Host } from "./host";
import { pulledImage } from "./image";

/** One PostgreSQL: a password of its own, a volume that outlives everything, no way to it but the data network. */
export class Database extends pulumi.ComponentResource {
  readonly password: pulumi.Output<string>;
  readonly container: pulumi.Output<CreatedContainer>;

  constructor(
    name: string,
    host: Host,
    config: DatabaseConfig,
    described: NamedContainer,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("deploy:database:Database", name, {}, options);
    const password = new random.RandomPassword(
      `${name}-password`,
      // Letters and digits only: it stands in a URL.
      { length: 32, special: false, keepers: { version: String(config.passwordVersion) } },
      { parent: this },
    );
    this.password = password.result;
    const volume = host.volume(name, "data", databaseVolume(config, host.names));
    const image = pulledImage(host, name, described.spec.image, this);
    this.container = createContainer(host, described, this.password, this, image, [volume]);
    this.registerOutputs({});
  }
}
