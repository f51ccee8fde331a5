import { byNeeds } from "../config/needs";
import type { Config, DatabaseConfig, ServiceConfig } from "../config/schema";
import type { Facts } from "../found/facts";
import { generation } from "../found/present";
import { builtBefore, type ContainerRecord, type RecordedBuild, type ReleaseRecord } from "../found/record";
import { adoptedVolumes, volumeProblems } from "../found/volumes";
import { type Build, readBuild, whyBuilt } from "../wanted/build";
import {
  databaseSpec,
  databaseVolume,
  migrationSpec,
  nameContainer,
  type ContainerSpec,
  type NamedContainer,
  portName,
  proxySpec,
  serviceSpec,
} from "../wanted/container";
import { looksSecret } from "../wanted/environment";
import { jobSpec } from "../wanted/jobs";
import { messengerSpec } from "../wanted/messenger";
import { fullName, serviceVolume, type StackNames } from "../wanted/names";
import { chooseImage, type ImageChoice, keptImage } from "./images";
import type { Wanted } from "./plan";
import type { Pin } from "./rollback";

/** Everything that a stack wants on its host, named by content: config and source in, plain data out. */
export interface DescribedStack {
  readonly database: NamedContainer | undefined;
  readonly proxy: NamedContainer;
  readonly services: readonly DescribedService[];
  /** What cron runs, by name, and who tells of it. */
  readonly messenger: NamedContainer | undefined;
  /** All of these. */
  readonly beside: readonly NamedContainer[];
  /** All that serves, each after what it needs. */
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
  /** What one of its containers is. */
  readonly container: NamedContainer;
  /** Those that serve: this one, and its replicas; of one that is there for its jobs alone, none. */
  readonly containers: readonly NamedContainer[];
  /** What cron runs in its image. */
  readonly jobs: readonly NamedContainer[];
  readonly migration: NamedContainer | undefined;
  /** The migration's name, also if it is not to run again. */
  readonly migrationKey: string | undefined;
  /** Where an image that is built comes from; undefined for one made elsewhere. */
  readonly image: ImageChoice | undefined;
  /** What a release remembers of its build. */
  readonly build: RecordedBuild | undefined;
}

/** Of a container that neither migrates nor has anything for itself. */
const PLAIN = {
  migration: undefined,
  migrationKey: undefined,
  migrationKind: "expand",
  order: "auto",
  exclusive: [],
  needs: [],
} as const;

/**
 * @param root the project's folder
 * @param pin the earlier release that this is; its images are taken as they are, and its migrations have run
 * @throws ContextError when a service's source cannot be read
 */
export function describeStack(
  root: string,
  config: Config,
  names: StackNames,
  facts: Facts,
  pin?: Pin,
): DescribedStack {
  const platform = config.host.platform ?? facts.platform ?? "linux/amd64";
  const database = config.database && nameContainer(databaseSpec(config.database, names), config.identityKey);
  const carried = facts.current?.record.names;
  const proxy = nameContainer(proxySpec(config, names, carried), config.identityKey);
  const imageOf = (name: string, service: ServiceConfig) =>
    pin === undefined
      ? imageFromSource(root, name, service, platform, config, names, facts)
      : imageOfRelease(name, pin, facts);
  const services = byNeeds(config).map((name) =>
    describeService(name, config, names, imageOf, pin !== undefined),
  );
  const jobs = services.flatMap((one) => one.jobs);
  const told = messengerSpec(config);
  const messenger = told && nameContainer(told, config.identityKey);
  return {
    database,
    proxy,
    services,
    messenger,
    beside: [...jobs, ...(messenger ? [messenger] : [])],
    wanted: [
      ...(database ? [{ container: database, ...PLAIN }] : []),
      { container: proxy, ...PLAIN },
      ...services.flatMap((one) => wantedOf(one, names)),
    ],
    record: {
      names: [...proxy.spec.aliases],
      ...(config.database ? { database: dataOf(config.database, names, facts) } : {}),
      containers: {
        ...(database ? { database: recordOf(facts, database) } : {}),
        proxy: recordOf(facts, proxy),
        ...Object.fromEntries(
          services.flatMap((one) =>
            one.containers.map((each) => [each.spec.service, recordOf(facts, each, one)]),
          ),
        ),
      },
      ...(jobs.length === 0
        ? {}
        : {
            jobs: Object.fromEntries(
              services.flatMap((one) => one.jobs.map((job) => [job.spec.service, recordOf(facts, job, one)])),
            ),
          }),
      ...(messenger === undefined ? {} : { messenger: recordOf(facts, messenger) }),
    },
    refusals: volumeProblems(config, names, facts),
    notes: [...adoptedVolumes(config, names, facts), ...plainSecrets(config)],
  };
}

function jobsOf(service: string, config: Config, spec: ContainerSpec): NamedContainer[] {
  return Object.keys(config.jobs)
    .filter((job) => config.jobs[job]?.service === service)
    .map((job) => nameContainer(jobSpec(job, config, spec), config.identityKey));
}

function plainSecrets({ services }: Config): string[] {
  return Object.entries(services).flatMap(([service, one]) =>
    looksSecret(one).map(
      (name) =>
        `services.${service}: ${name} looks like a secret and stands in plain text${one.envFile === undefined ? "" : ` (in env or ${one.envFile})`}: ` +
        `take it out there, and: pulumi config set --secret --path services.${service}.secrets.${name}`,
    ),
  );
}

export function imageTag(names: StackNames, service: string, build: Build): string {
  return `${fullName(names)}/${service}:${build.hash}`;
}

/** An image as a container names it, and where it comes from if it is built. */
interface ServiceImage {
  readonly reference: string;
  readonly image: ImageChoice | undefined;
  readonly build: RecordedBuild | undefined;
}

/** An image made elsewhere, or what the source says now. */
function imageFromSource(
  root: string,
  name: string,
  service: ServiceConfig,
  platform: string,
  config: Config,
  names: StackNames,
  facts: Facts,
): ServiceImage {
  const { source } = service;
  if (source === undefined) return { reference: service.image ?? "", image: undefined, build: undefined };
  const build = readBuild(root, { ...service, source }, platform, config.baseRefresh);
  const reference = imageTag(names, name, build);
  const image = chooseImage(config, name, reference, build, facts);
  const why = whyBuilt(build, facts.current && builtBefore(name, facts.current.record)?.build);
  return {
    reference,
    image,
    build: {
      hash: build.hash,
      why,
      parts: { ...build.parts },
      files: { ...build.files },
      place: image.place,
      ...(image.place !== "kept" && image.client ? { client: true } : {}),
    },
  };
}

/** What an earlier release ran: its source may be long gone. */
function imageOfRelease(name: string, { entry, record }: Pin, facts: Facts): ServiceImage {
  const before = builtBefore(name, record);
  const reference = before?.image ?? "";
  const build = before?.build;
  if (build === undefined) return { reference, image: undefined, build };
  const image = keptImage(name, reference, facts, `kept from release ${entry.number}: no build`);
  return { reference, image, build: { ...build, place: image.place } };
}

function describeService(
  name: string,
  config: Config,
  names: StackNames,
  imageOf: (name: string, service: ServiceConfig) => ServiceImage,
  migrated: boolean,
): DescribedService {
  const service = config.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  const { reference, image, build } = imageOf(name, service);
  const spec = serviceSpec(name, config, reference, names);
  const { migrate } = service;
  const migration =
    migrate === undefined
      ? undefined
      : nameContainer(migrationSpec(name, { ...service, migrate }, spec), config.identityKey);
  return {
    name,
    config: service,
    container: nameContainer(spec, config.identityKey),
    containers: Array.from({ length: service.replicas }, (_, i) =>
      nameContainer(serviceSpec(name, config, reference, names, i + 1), config.identityKey),
    ),
    jobs: jobsOf(name, config, spec),
    migration: migrated ? undefined : migration,
    migrationKey: migration?.key,
    image,
    build,
  };
}

function wantedOf(
  { config, containers, migration, migrationKey }: DescribedService,
  names: StackNames,
): Wanted[] {
  const { order, needs } = config;
  return containers.map((container, i): Wanted => {
    const replica = { ...PLAIN, container, order, needs };
    if (i > 0) return replica;
    return {
      ...replica,
      migration,
      migrationKey,
      migrationKind: config.migrateKind ?? "expand",
      exclusive: [
        ...config.volumes.filter(({ shareable }) => !shareable).map((one) => serviceVolume(names, one)),
        ...container.spec.ports.map(portName),
      ],
    };
  });
}

function dataOf(
  config: DatabaseConfig,
  names: StackNames,
  facts: Facts,
): NonNullable<ReleaseRecord["database"]> {
  const volume = databaseVolume(config, names);
  return { version: config.version, volume, made: generation(facts, `volume:${volume}`) };
}

function recordOf(
  facts: Facts,
  { key, spec, parts }: NamedContainer,
  service?: DescribedService,
): ContainerRecord {
  const { build } = service ?? {};
  const volumes = spec.mounts.filter(({ type }) => type === "volume").map(({ source }) => source);
  return {
    key,
    image: spec.image,
    memory: spec.memory,
    volumes,
    ...(spec.role === "job" && service !== undefined ? { service: service.name } : {}),
    ...(service !== undefined && spec.ports.length > 0 ? { ports: spec.ports.map(portName) } : {}),
    made: Object.fromEntries(volumes.map((name) => [name, generation(facts, `volume:${name}`)])),
    parts: { ...parts },
    ...(build ? { build } : {}),
  };
}
