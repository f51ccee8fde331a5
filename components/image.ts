import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type StagedContext, stageContext } from "../deployer/stage";
import { localBuildCommand, localBuildScript } from "../host/bundle";
import type { ImageChoice, MadeImage } from "../plan/release/images";
import { localBuildLines } from "../plan/release/wire";
import type { Build } from "../plan/wanted/build";
import { digest } from "../plan/wanted/identity";
import { clientConfig, registriesOf } from "../plan/wanted/logins";
import type { Host } from "./host";
import { withoutTrace } from "./stackConfig";

/**
 * An image built from source, where plan/release/images.ts says. Its resource and its tag carry the hash of what it is built
 * from: another content is another resource, the same content is never built again, and the older image stays on the
 * host for going back. One that is kept from an earlier release needs no resource at all.
 */
export function builtImage(
  host: Host,
  image: ImageChoice,
  parent: pulumi.Resource,
): pulumi.CustomResource | undefined {
  switch (image.place) {
    case "kept":
      return undefined;
    case "host":
      return host.builds.add(
        image,
        image.client ? buildByClient(host, image, parent) : buildOnHost(host, image, parent),
      );
    case "local":
      return host.builds.add(image, buildByClient(host, image, parent));
  }
}

function buildOnHost(
  host: Host,
  { service, tag, generation, build }: MadeImage,
  parent: pulumi.Resource,
): docker.Image {
  const name = `${service}-${build.hash}`;
  const { context, dockerfile } = staged(host, name, build, "inside");
  return new docker.Image(
    name,
    {
      imageName: tag,
      skipPush: true,
      build: {
        context,
        dockerfile,
        target: build.target,
        args: { ...build.args },
        platform: build.platform,
        builderVersion: docker.BuilderVersion.BuilderBuildKit,
      },
    },
    {
      provider: host.provider,
      dependsOn: [...host.childOptions.dependsOn, ...host.builds.last],
      parent,
      replacementTrigger: generation,
    },
  );
}

function staged(host: Host, name: string, build: Build, links: "inside" | "any"): StagedContext {
  // Each stack has its own: its state names the path.
  return withoutTrace(() => stageContext(process.cwd(), `${host.names.stack}/${name}`, build, links));
}

/**
 * One command that builds and ships, so that one which fails leaves nothing that the next `up` would take for done. The
 * docker client is used and no provider: on this machine it knows DOCKER_HOST, contexts and logins of whoever deploys, and
 * none of these enters the state; on the host's side it takes what the provider cannot hand over. Secrets come by the
 * environment, and go on by stdin: they stand in no argument and no file that stays.
 */
function buildByClient(
  host: Host,
  { service, tag, generation, build, builds, place }: MadeImage,
  parent: pulumi.Resource,
): command.local.Command {
  const name = `${service}-${build.hash}-${place === "local" ? "local" : "client"}`;
  const sent = builds ? staged(host, name, build, "any") : build;
  const { services, registries } = host.config;
  const logins = registriesOf(registries, build.instructions, build.args);
  const secrets = Object.entries(services[service]?.buildSecrets ?? {});
  return new command.local.Command(
    name,
    {
      interpreter: ["/bin/sh", "-c"],
      create: localBuildCommand(),
      stdin: localBuildScript(
        localBuildLines(
          tag,
          { ...build, ...sent },
          place,
          secrets.map(([one]) => one),
          host.connection.interpreter,
        ),
      ),
      environment: pulumi.secret({
        ...Object.fromEntries(secrets.map(([one, value]) => [`BUILD_SECRET_${one}`, value])),
        ...(Object.keys(logins).length === 0 ? {} : { BUILD_LOGINS: clientConfig(logins) }),
      }),
      triggers: [generation],
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.StdoutAndStderr,
    },
    {
      dependsOn: [...host.childOptions.dependsOn, ...host.builds.last],
      parent,
      // How the host is reached may change; only another generation builds again.
      ignoreChanges: ["create", "stdin", "environment", "interpreter", "logging"],
      customTimeouts: { create: "60m" },
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
