import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Build } from "../plan/build";
import { generation } from "../plan/facts";
import { digest } from "../plan/identity";
import type { Host } from "./host";

/**
 * An image built on the host. Its resource and its tag carry the hash of what it is built from: another content is
 * another resource, the same content is never built again, and the older image stays on the host for going back.
 */
export function builtImage(
  host: Host,
  service: string,
  tag: string,
  build: Build,
  parent: pulumi.Resource,
): docker.Image {
  return new docker.Image(
    `${service}-${build.hash}`,
    {
      imageName: tag,
      skipPush: true,
      build: {
        context: build.context,
        dockerfile: build.dockerfile,
        target: build.target,
        args: { ...build.args },
        platform: build.platform,
        builderVersion: docker.BuilderVersion.BuilderBuildKit,
      },
    },
    {
      ...host.childOptions,
      parent,
      ignoreChanges: ["build"],
      replacementTrigger: generation(host.facts, `image:${tag}`),
    },
  );
}

/** An image made elsewhere: pulled when the host lacks it, left there on destroy. */
export function pulledImage(
  host: Host,
  service: string,
  reference: string,
  parent: pulumi.Resource,
): docker.RemoteImage {
  return new docker.RemoteImage(
    `${service}-image-${digest(reference)}`,
    { name: reference, keepLocally: true },
    { ...host.childOptions, parent },
  );
}
