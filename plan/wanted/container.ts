import type { Config, DatabaseConfig, ServiceConfig } from "../config/schema";
import { visitorPorts } from "./doors";
import { databaseLogin, databasePassword, type EnvValue, readable, serviceEnv } from "./environment";
import { hostsOf } from "./hosts";
import { DEFAULTS_VERSION, digest, leaves, type Plain, secretDigest } from "./identity";
import { serviceVolume, type StackNames, volumeName } from "./names";
import { replicaName } from "./replicas";
import { hardening } from "./security";

/**
 * What a container is, as plain data: made from config alone, named by its content, turned into a Pulumi resource by
 * components/. All kinds of container (service, its migration, job, database, proxy, ...) come from here, so that the one
 * rule and the hardening hold for each.
 */

/**
 * Of all that serves. `unless-stopped` would not do: an engine that crashed takes what it finds still alive, when it is
 * back, for stopped by hand (seen with Docker 20.10).
 */
export const RESTART_POLICY = "always";

export type Role = "service" | "migrate" | "database" | "proxy" | "job" | "messenger";

/** Those that are started for one piece of work and end by themselves: a release does not start them to serve. */
const ONE_OFF: readonly string[] = ["migrate", "job", "messenger"] satisfies Role[];

/** Whether a container of this role runs when all is well. */
export function serves(role: string): boolean {
  return !ONE_OFF.includes(role);
}

export type Health =
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      /** As whom a visitor asks: scheme, host name, and the port where it is not the usual one. */
      readonly origin: string;
    }
  | { readonly kind: "exec"; readonly command: string }
  | { readonly kind: "proxy" }
  | { readonly kind: "none" };

export type Mount = {
  readonly type: "volume" | "bind";
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
};

export type PublishedPort = {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
  /** Absent: tcp. */
  readonly protocol?: "udp";
};

export type ContainerSpec = {
  /** The logical name: a service's, `database` or `proxy`. */
  readonly service: string;
  readonly role: Role;
  /** An image reference; for a built image its content tag. */
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, EnvValue>>;
  /** MiB; also the limit for memory and swap together. */
  readonly memory: number;
  /** A number, or who decides: `auto`, `image`, `postgres` (./security). */
  readonly user: string;
  readonly readOnly: boolean;
  readonly capabilities: readonly string[];
  readonly newPrivileges: boolean;
  readonly tmpfs: readonly string[];
  readonly mounts: readonly Mount[];
  readonly networks: readonly ("edge" | "data")[];
  /** Names under which others on the network find it, besides its key. */
  readonly aliases: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly health: Health;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopGrace: number;
  /** Seconds until healthy (for a migration or a job: until done). */
  readonly startTimeout: number;
};

/** A container with its name: `<service>-<12 hex>`. */
export interface NamedContainer {
  readonly spec: ContainerSpec;
  readonly key: string;
  /** Each leaf of the description as a digest, for saying what changed. */
  readonly parts: Readonly<Record<string, string>>;
}

/** @throws Error when the spec has secrets and no key: config/check.ts refuses that before. */
export function nameContainer(spec: ContainerSpec, identityKey: string | undefined): NamedContainer {
  const description: Plain = {
    ...spec,
    health: withoutOrigin(spec.health),
    env: Object.fromEntries(
      Object.entries(spec.env).map(([name, value]) => [name, envIdentity(value, identityKey)]),
    ),
    defaults: DEFAULTS_VERSION,
  };
  // A host name on the network, too.
  const base = spec.service.replace(".", "-");
  const name = ["migrate", "job"].includes(spec.role) ? `${base}-${spec.role}` : base;
  return { spec, key: `${name}-${digest(description)}`, parts: leaves(description) };
}

/** As whom a container is asked is no reason for another one: with the next domain the runner asks it so. */
function withoutOrigin(health: Health): Plain {
  return health.kind === "http" ? { kind: health.kind, port: health.port, path: health.path } : health;
}

function envIdentity(value: EnvValue, identityKey: string | undefined): Plain {
  if ("plain" in value) return value.plain;
  if ("withPassword" in value) return { text: readable(value.withPassword), version: value.version };
  if (identityKey === undefined) throw new Error("a secret needs identityKey");
  return { secret: secretDigest(identityKey, value.secret) };
}

/** The service itself, or one of its replicas. */
export function serviceSpec(
  name: string,
  config: Config,
  image: string,
  names: StackNames,
  replica = 1,
): ContainerSpec {
  const service = config.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  return {
    service: replicaName(name, replica),
    role: "service",
    image,
    command: service.command,
    env: serviceEnv(service, config),
    memory: service.memory,
    ...hardening(service),
    mounts: service.volumes.map((volume) => ({
      type: "volume",
      source: serviceVolume(names, volume),
      target: volume.path,
    })),
    networks: service.needs.includes("database") ? ["edge", "data"] : ["edge"],
    // A service asked over HTTP is reached through the proxy under its name, so that a release switches for other
    // services as it does for visitors; any other protocol goes to the container itself.
    aliases: service.health === undefined ? [name] : [],
    ports: service.publish.map(({ port, host, address, protocol }) => ({
      internal: port,
      external: host ?? port,
      ip: address,
      ...(protocol === "udp" ? { protocol } : {}),
    })),
    health: serviceHealth(name, service, config),
    stopGrace: service.stopGrace,
    startTimeout: service.startTimeout,
  };
}

/** A port of the host as only one container may have it, whatever the address. */
export function portName({ external, protocol }: PublishedPort): string {
  return `port ${external}/${protocol ?? "tcp"}`;
}

/** The one-off container that runs a service's `migrate` command. */
export function migrationSpec(name: string, service: ServiceConfig, of: ContainerSpec): ContainerSpec {
  return {
    ...of,
    service: name,
    role: "migrate",
    command: service.migrate,
    aliases: [],
    ports: [],
    health: { kind: "none" },
    startTimeout: service.migrateTimeout,
  };
}

export function databaseSpec(database: DatabaseConfig, names: StackNames): ContainerSpec {
  const settings: Record<string, string> = {
    // A quarter of its memory, as PostgreSQL's manual advises (19.4.1).
    shared_buffers: `${Math.max(16, Math.floor(database.memory / 4))}MB`,
    ...database.settings,
  };
  const login = databaseLogin(database);
  return {
    service: "database",
    role: "database",
    image: databaseImage(database),
    command: [
      "postgres",
      ...Object.keys(settings)
        .sort()
        .flatMap((name) => ["-c", `${name}=${settings[name] ?? ""}`]),
    ],
    env: {
      POSTGRES_DB: { plain: database.name },
      POSTGRES_USER: { plain: database.user },
      POSTGRES_PASSWORD: databasePassword(database),
      ...(login === database.user ? {} : { DEPLOY_LOGIN: { plain: login } }),
    },
    memory: database.memory,
    // The postgres user of the official image; of any other one it is the image's to say (alpine's is 70).
    user: database.image === undefined ? "999:999" : "postgres",
    readOnly: true,
    capabilities: [],
    newPrivileges: false,
    tmpfs: ["/tmp", "/var/run/postgresql"],
    mounts: [
      {
        type: "volume",
        source: databaseVolume(database, names),
        target: isMoved(database.version) ? "/var/lib/postgresql" : "/var/lib/postgresql/data",
      },
    ],
    networks: ["data"],
    aliases: ["database"],
    ports: [],
    // Over TCP: while the image initialises its data, a temporary server listens on the socket only.
    health: { kind: "exec", command: `pg_isready -q -h 127.0.0.1 -U ${database.user} -d ${database.name}` },
    stopGrace: database.stopGrace,
    startTimeout: database.startTimeout,
  };
}

/** The official images moved their volume with version 18. */
function isMoved(version: number): boolean {
  return version >= 18;
}

/** Where in its volume an image of this version keeps its data. */
export function dataFolder(version: number): string {
  return isMoved(version) ? `./${version}/docker` : ".";
}

export function databaseImage(database: Pick<DatabaseConfig, "image" | "version">): string {
  return database.image ?? `postgres:${database.version}-bookworm`;
}

export function databaseVolume(database: DatabaseConfig, names: StackNames): string {
  return database.volume ?? volumeName(names, "database");
}

/** @param carried the names that the proxy which serves carries already */
export function proxySpec(config: Config, names: StackNames, carried: readonly string[] = []): ContainerSpec {
  const { http, tls, proxy } = config;
  const inside = visitorPorts(config);
  return {
    service: "proxy",
    role: "proxy",
    image: proxy.image,
    entrypoint: ["nginx", "-c", "/etc/nginx/state/nginx.conf", "-g", "daemon off;"],
    env: {},
    memory: proxy.memory,
    // The nginx user of the official image. Docker lets any user bind a low port inside a container.
    user: "101:101",
    readOnly: true,
    capabilities: [],
    newPrivileges: false,
    tmpfs: ["/tmp"],
    mounts: [
      { type: "volume", source: volumeName(names, "proxy"), target: "/etc/nginx/state" },
      ...(tls ? [{ type: "bind" as const, source: tls.folder, target: tls.folder, readOnly: true }] : []),
    ],
    networks: ["edge"],
    aliases: namesToCarry(config, carried),
    ports: [
      ...http.address.map((ip) => ({ internal: inside.http, external: http.port, ip })),
      ...(tls ? http.address.map((ip) => ({ internal: inside.https, external: tls.port, ip })) : []),
    ],
    health: { kind: "proxy" },
    // Its successor waits for it without connections: so long for requests in flight, and no longer for a websocket.
    stopGrace: 2,
    startTimeout: 30,
  };
}

/**
 * The names under which services find each other through the proxy: of those that another one needs. A container gets
 * no further name later, so each more means another proxy; one that is needed no longer stays until there is another
 * proxy anyway, unless a container of its own has it now.
 */
function namesToCarry({ services }: Config, carried: readonly string[]): string[] {
  const needed = new Set(Object.values(services).flatMap(({ needs }) => needs));
  const own = (name: string) => services[name] !== undefined && services[name].health === undefined;
  const wanted = Object.keys(services).filter((name) => needed.has(name));
  return [...new Set([...wanted, ...carried])].filter((name) => !own(name)).sort();
}

function serviceHealth(name: string, service: ServiceConfig, config: Config): Health {
  if (service.healthCommand !== undefined) return { kind: "exec", command: service.healthCommand };
  if (service.health === undefined || service.port === undefined) return { kind: "none" };
  const origin =
    service.route.length === 0 ? originOf("http", name, service.port) : publicOrigin(config, service);
  return { kind: "http", port: service.port, path: service.health, origin };
}

/**
 * What a visitor's browser shows of this site. A service that knows its host names, or forces https, answers health to
 * nobody else.
 */
function publicOrigin(config: Config, service: ServiceConfig): string {
  const { http, tls } = config;
  const [first = "localhost"] = hostsOf(config, service);
  // Of names that share a pattern, one that nobody has.
  const host = first.replace("*", "health");
  return tls === undefined ? originOf("http", host, http.port) : originOf("https", host, tls.port);
}

function originOf(scheme: "http" | "https", host: string, port: number): string {
  return `${scheme}://${host}${port === (scheme === "https" ? 443 : 80) ? "" : `:${port}`}`;
}
