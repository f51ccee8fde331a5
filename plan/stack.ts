import { type Build, readBuild, whyBuilt } from "./build";
import type { Config, ServiceConfig } from "./config/schema";
import {
  databaseSpec,
  databaseVolume,
  migrationSpec,
  nameContainer,
  type NamedContainer,
  proxySpec,
  serviceSpec,
  type StackNames,
  volumeName,
} from "./container";
import type { ContainerRecord, Facts, ReleaseRecord } from "./facts";
import { chooseImage, type ImageChoice } from "./images";
import { byNeeds, type Wanted } from "./release";
import { adoptedVolumes, volumeProblems } from "./volumes";
import { fullName } from "./wire";

/** Everything that a stack wants on its host, named by content: config and source in, plain data out. */
export interface DescribedStack {
  readonly database: NamedContainer | undefined;
  readonly proxy: NamedContainer;
  readonly services: readonly DescribedService[];
  /** All of them, each after what it needs. */
  readonly wanted: readonly Wanted[];
  readonly record: Omit<ReleaseRecord, "site">;
  /** Why it cannot have what it wants, each with a cure. */
  readonly refusals: readonly string[];
  /** What a preview tells besides the plan. */
  readonly notes: readonly string[];
}

export interface DescribedService {
  readonly name: string;
  readonly config: ServiceConfig;
  readonly container: NamedContainer;
  readonly migration: NamedContainer | undefined;
  /** Undefined for an image made elsewhere. */
  readonly build: Build | undefined;
  /** Where the built image comes from. */
  readonly image: ImageChoice | undefined;
  readonly why: string;
}

/**
 * @param root the project's folder
 * @throws ContextError when a service's source cannot be read
 */
export function describeStack(root: string, config: Config, names: StackNames, facts: Facts): DescribedStack {
  const platform = config.host.platform ?? facts.platform ?? "linux/amd64";
  const database = config.database && nameContainer(databaseSpec(config.database, names), config.identityKey);
  const carried = facts.current?.record.names;
  const proxy = nameContainer(proxySpec(config, names, carried), config.identityKey);
  const services = byNeeds(config).map((name) => describeService(root, name, config, names, platform, facts));
  const plain = { migration: undefined, order: "auto", exclusive: [], needs: [] } as const;
  return {
    database,
    proxy,
    services,
    wanted: [
      ...(database ? [{ container: database, ...plain }] : []),
      { container: proxy, ...plain },
      ...services.map((one) => wantedService(one, names)),
    ],
    record: {
      names: [...proxy.spec.aliases],
      ...(config.database
        ? { database: { version: config.database.version, volume: databaseVolume(config.database, names) } }
        : {}),
      containers: {
        ...(database ? { database: recordOf(database) } : {}),
        proxy: recordOf(proxy),
        ...Object.fromEntries(services.map((one) => [one.name, recordOf(one.container, one)])),
      },
    },
    refusals: volumeProblems(config, names, facts),
    notes: adoptedVolumes(config, names, facts),
  };
}

export function imageTag(names: StackNames, service: string, build: Build): string {
  return `${fullName(names)}/${service}:${build.hash}`;
}

function describeService(
  root: string,
  name: string,
  config: Config,
  names: StackNames,
  platform: string,
  facts: Facts,
): DescribedService {
  const service = config.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  const { source, image } = service;
  const build =
    source === undefined ? undefined : readBuild(root, { ...service, source }, platform, config.baseRefresh);
  const reference = build === undefined ? (image ?? "") : imageTag(names, name, build);
  const spec = serviceSpec(name, config, reference, names);
  return {
    name,
    config: service,
    container: nameContainer(spec, config.identityKey),
    migration: service.migrate && nameContainer(migrationSpec(name, service, spec), config.identityKey),
    build,
    image: build && chooseImage(config, name, reference, build, facts),
    why: build === undefined ? "" : whyBuilt(build, facts.current?.record.containers[name]?.build),
  };
}

function wantedService({ config, container, migration }: DescribedService, names: StackNames): Wanted {
  return {
    container,
    migration,
    order: config.order,
    exclusive: config.volumes
      .filter(({ shareable }) => !shareable)
      .map(({ name }) => volumeName(names, name)),
    needs: config.needs,
  };
}

function recordOf({ key, spec, parts }: NamedContainer, service?: DescribedService): ContainerRecord {
  const { build, image, why = "" } = service ?? {};
  return {
    key,
    image: spec.image,
    memory: spec.memory,
    volumes: spec.mounts.filter(({ type }) => type === "volume").map(({ source }) => source),
    parts: { ...parts },
    ...(build && image
      ? {
          build: {
            hash: build.hash,
            why,
            parts: { ...build.parts },
            files: { ...build.files },
            place: image.place,
          },
        }
      : {}),
  };
}
