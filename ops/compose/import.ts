import { relative } from "node:path";
import { type ImportedDatabase, isDatabase, readDatabase } from "./database";
import { shellLine } from "../shell";
import { concealed } from "./conceal";
import { type Environment, environmentOf } from "./environment";
import { memoryOf, replicasOf } from "./limits";
import { Names } from "./names";
import type { ComposeProject, ComposeService } from "./model";
import { isProxy, readRoutes, type ReadRoutes } from "./proxy";
import { looksSecret, secondsOf, undoubled } from "./values";

/** A compose project as the config of a stack. */
export interface Imported {
  /** Settings in plain text: domain, services, database. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly secrets: readonly { readonly service: string; readonly name: string; readonly value: string }[];
  /** What a person must know or do, a line each, by what it is about. */
  readonly notes: readonly Note[];
}

export interface Note {
  /** A service as compose calls it, or "" for the whole. */
  readonly about: string;
  readonly text: string;
}

/** What the program itself does for every container. */
const DONE_ANYWAY = [
  ...["restart", "networks", "container_name", "logging", "init", "read_only", "security_opt", "links"],
  ...[
    "mem_reservation",
    "memswap_limit",
    "mem_swappiness",
    "pull_policy",
    "platform",
    "env_file",
    "profiles",
  ],
];
const TAKEN = [
  ...["image", "build", "command", "environment", "healthcheck", "depends_on", "ports", "expose", "volumes"],
  ...["tmpfs", "labels", "user", "mem_limit", "scale", "stop_grace_period", "deploy", "cap_add"],
];
const WITHOUT: Readonly<Record<string, string>> = {
  entrypoint: "put it into the image (ENTRYPOINT), or in front of command",
  privileged: "all rights on the host are given to nobody; security.capabilities gives single ones",
  network_mode: "every service is on the stack's own network",
  devices: "no device of the host is given",
  extra_hosts: "put the name into DNS, or the address into env",
  secrets: "pulumi config set --secret --path services.NAME.secrets.X gives them as environment",
  configs: "put the file into the image",
  ulimits: "set them in the image's start script",
  sysctls: "they stay the host's",
};

/**
 * @param project the answer of `docker compose config --format json`
 * @param root the folder of this program: sources are relative to it
 * @param fileText gives the text of a file that is mounted into a proxy; undefined: it cannot be read
 */
export function importCompose(
  project: ComposeProject,
  root: string,
  fileText: (path: string) => string | undefined,
): Imported {
  return new Import(project, root, fileText).result();
}

class Import {
  private readonly notes: Note[] = [];
  private readonly names: Names;
  private readonly routes: ReadRoutes;
  private readonly proxies: readonly string[];
  /** One that runs once before others, by those that wait for it. */
  private readonly migrations = new Map<string, ComposeService>();
  private readonly database: ImportedDatabase | undefined;
  private readonly secrets: Imported["secrets"][number][] = [];

  constructor(
    private readonly project: ComposeProject,
    private readonly root: string,
    fileText: (path: string) => string | undefined,
  ) {
    const all = Object.entries(project.services);
    const known = Object.keys(project.services);
    const textsOf = (service: ComposeService) =>
      service.volumes.flatMap(({ type, source }) =>
        type === "bind" && source !== undefined ? [fileText(source) ?? ""] : [],
      );
    const proxies = all
      .map(([name, service]) => ({ name, service, texts: textsOf(service) }))
      .filter(({ service, texts }) => isProxy(service, texts, known));
    this.proxies = proxies.map(({ name }) => name);
    this.routes = readRoutes(
      project,
      proxies.flatMap(({ texts }) => texts),
    );
    for (const name of this.proxies) this.note(name, "is left out: the stack brings its own nginx");
    for (const line of this.routes.unread) this.note("", `not taken over: ${line}`);
    const databases = all.filter(([, service]) => isDatabase(service));
    const [first, ...others] = databases;
    this.database =
      first &&
      readDatabase(first[0], first[1], project, (text) => {
        this.note(first[0], text);
      });
    for (const [name] of others)
      this.note(name, "is left out: a stack has one PostgreSQL; put its databases into that one");
    const out = new Set([...this.proxies, ...databases.map(([name]) => name), ...this.readMigrations()]);
    this.names = new Names(known.filter((name) => !out.has(name)));
  }

  result(): Imported {
    const services = Object.fromEntries(
      this.names.kept.map((name) => [this.names.of(name), this.service(name, this.the(name))]),
    );
    const published = Object.values(this.project.services).some(({ ports }) =>
      ports.some(({ published: port }) => port === 443),
    );
    if (published)
      this.note(
        "",
        "https: give tls { folder, certificate, key } a certificate that is on the host (docs/config.md)",
      );
    if (this.routes.hosts.length === 0) this.note("", "domain: is localhost as long as you name none");
    return {
      values: {
        domain: this.routes.hosts.length === 0 ? ["localhost"] : this.routes.hosts,
        services,
        ...(this.database === undefined ? {} : { database: this.database.values }),
      },
      secrets: this.secrets,
      notes: this.notes,
    };
  }

  private the(name: string): ComposeService {
    const found = this.project.services[name];
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  }

  private note(about: string, text: string): void {
    this.notes.push({ about, text });
  }

  /** @returns those that are no services, because they run once before others */
  private readMigrations(): string[] {
    const once = new Set<string>();
    for (const [name, { depends_on }] of Object.entries(this.project.services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        if (condition !== "service_completed_successfully") continue;
        const before = this.the(other);
        once.add(other);
        const same =
          JSON.stringify([before.build, before.image]) ===
          JSON.stringify([this.the(name).build, this.the(name).image]);
        if (same && !isEmpty(before.command)) {
          this.migrations.set(name, before);
          this.note(other, `runs as the migration of ${name}, before each release of it that needs it`);
        } else {
          this.note(
            other,
            `is left out: what runs before ${name} must be a command of its own image (migrate)`,
          );
        }
      }
    }
    return [...once];
  }

  private service(name: string, service: ComposeService): Record<string, unknown> {
    for (const key of Object.keys(service).filter((one) => ![...TAKEN, ...DONE_ANYWAY].includes(one))) {
      if (isEmpty(service[key]) || service[key] === false) continue;
      this.note(name, `${key} is not taken over: ${WITHOUT[key] ?? "it has no equivalent here"}`);
    }
    const target = this.names.of(name);
    if (target !== name) this.note(name, `is called ${target} here`);
    const http = this.http(name, service);
    const environment = environmentOf(service, this.names, this.database, http.port);
    const conceal = this.concealing(service, environment);
    const words = (key: "command" | "migrate", given: readonly string[] | null | undefined) =>
      this.words(name, key, (given ?? []).map(undoubled), conceal);
    const replicas = replicasOf(service);
    const migration = this.migrations.get(name);
    const commands = {
      ...this.checkOf(name, service, http.route !== undefined, conceal),
      ...words("command", service.command),
      ...words("migrate", migration?.command),
    };
    this.tell(name, target, environment);
    return {
      ...this.image(name, service),
      ...http,
      ...commands,
      memory: memoryOf(service, (text) => {
        this.note(name, text);
      }),
      ...(isEmpty(environment.env) ? {} : { env: environment.env }),
      ...this.needs(name, service, environment),
      ...this.volumes(name, service),
      ...(replicas > 1 ? { replicas } : {}),
      ...this.grace(service),
      ...this.security(name, service),
      ...this.published(name, service, http.route !== undefined),
    };
  }

  /** Passwords in the text of a command become variables; one that no variable holds yet becomes one. */
  private concealing(service: ComposeService, environment: Environment): (line: string) => string {
    const own = Object.entries(service.environment ?? {});
    const password = this.database?.password;
    const secret = Object.values(this.project.services)
      .flatMap(({ environment: one }) => Object.entries(one ?? {}))
      .flatMap(([name, value]) => (value !== null && looksSecret(name, value) ? [undoubled(value)] : []));
    const variable = (value: string): string => {
      const there =
        own.find(([, one]) => one !== null && undoubled(one) === value)?.[0] ??
        Object.entries(environment.secrets).find(([, one]) => one === value)?.[0];
      if (there !== undefined) return there;
      if (value === password) {
        environment.env["DATABASE_PASSWORD"] = "${database.password}";
        return "DATABASE_PASSWORD";
      }
      const taken = new Set([...own.map(([name]) => name), ...Object.keys(environment.secrets)]);
      let name = "PASSWORD";
      for (let count = 2; taken.has(name); count += 1) name = `PASSWORD_${count}`;
      environment.secrets[name] = value;
      return name;
    };
    const known = password === undefined ? secret : [...secret, password];
    return (line) => concealed(line, known, variable);
  }

  private words(
    name: string,
    key: "command" | "migrate",
    words: readonly string[],
    conceal: (line: string) => string,
  ): Partial<Record<"command" | "migrate", readonly string[]>> {
    if (words.length === 0) return {};
    const plain = shellLine(words);
    const line = conceal(plain);
    if (line === plain) return { [key]: words };
    if (words[0]?.startsWith("-") === true) {
      this.note(
        name,
        `${key} is not taken over: a password is in it, and it begins with an option; give the whole command, by sh, with the password in a variable: [sh, -c, ${line}]`,
      );
      return {};
    }
    this.note(name, `${key} had a password in its text: it reads it from a variable now (${line})`);
    return { [key]: ["sh", "-c", `exec ${line}`] };
  }

  private tell(name: string, target: string, { secrets, given }: Environment): void {
    this.secrets.push(
      ...Object.entries(secrets).map(([one, value]) => ({ service: target, name: one, value })),
    );
    if (given.length > 0) this.note(name, `the stack itself gives ${given.join(", ")}`);
  }

  private image(name: string, { build, image }: ComposeService): Record<string, unknown> {
    if (build === undefined) return { image: image ?? "" };
    const source = relative(this.root, build.context) || ".";
    if (source.startsWith(".."))
      this.note(
        name,
        `its source ${build.context} is not in this project's folder: move it there, or link it`,
      );
    const given = Object.entries(build.args ?? {}).filter(([, value]) => value !== null);
    const args = given.filter(([one, value]) => !looksSecret(one, value ?? ""));
    for (const [one] of given.filter((each) => !args.includes(each)))
      this.note(
        name,
        `build argument ${one} is not taken over: it looks like a secret, and arguments stay in the image's history; see buildSecrets (docs/config.md)`,
      );
    return {
      source,
      ...(build.dockerfile === "Dockerfile" ? {} : { dockerfile: build.dockerfile }),
      ...(build.target === undefined ? {} : { target: build.target }),
      ...(args.length === 0
        ? {}
        : { args: Object.fromEntries(args.map(([one, value]) => [one, undoubled(value ?? "")])) }),
    };
  }

  /** Of one that is asked over HTTP: where it listens, what leads to it, what it answers when it is well. */
  private http(name: string, service: ComposeService): { port?: number; route?: string[]; health?: string } {
    const read = this.routes.routes.get(name);
    const health = httpHealth(service);
    const open = service.ports.filter(({ published }) => published !== undefined);
    const alone =
      this.proxies.length === 0 && open.length > 0 && (health !== undefined || this.publishers() === 1);
    const route = read?.paths ?? (alone && this.routes.routes.size === 0 ? ["/"] : undefined);
    if (route === undefined && health === undefined) return {};
    const said = service.environment?.PORT;
    const port =
      read?.port ??
      health?.port ??
      Number(said ?? service.expose[0]?.split("/")[0] ?? open[0]?.target ?? Number.NaN);
    if (Number.isNaN(port)) this.note(name, "port: compose does not say where it listens: 80 is a guess");
    if (health === undefined)
      this.note(
        name,
        "health: is / as long as you name a better path: visitors come only to what answers it",
      );
    if (route !== undefined && read === undefined)
      this.note(name, "route: is /, for nothing else is published");
    return {
      port: Number.isNaN(port) ? 80 : port,
      ...(route === undefined ? {} : { route: [...route] }),
      health: health?.path ?? "/",
    };
  }

  private publishers(): number {
    return Object.values(this.project.services).filter(({ ports }) => ports.length > 0).length;
  }

  private checkOf(
    name: string,
    service: ComposeService,
    routed: boolean,
    conceal: (line: string) => string,
  ): { healthCommand?: string } {
    const text = testOf(service);
    if (text === undefined || httpHealth(service) !== undefined) return {};
    if (routed) {
      this.note(name, "its own check is not asked: a route needs a path that answers");
      return {};
    }
    const test = conceal(text);
    if (test !== text)
      this.note(name, `healthCommand: its check had a password in its text: a variable now (${test})`);
    return { healthCommand: test };
  }

  private needs(name: string, service: ComposeService, { env }: Environment): { needs?: string[] } {
    const database = this.database?.name;
    const named = Object.keys(service.depends_on).flatMap((one) =>
      one === database ? ["database"] : this.names.kept.includes(one) ? [this.names.of(one)] : [],
    );
    // Services that are asked over HTTP find each other under names that the proxy carries: of those that are needed.
    const mentioned = this.names.kept.filter(
      (one) =>
        one !== name &&
        Object.values(env).some((text) => mentions(text, this.names.of(one))) &&
        !Object.hasOwn(this.the(one).depends_on, name),
    );
    const spoken = Object.values(env).some((text) => text.includes("${database."));
    const migrates = Object.keys(this.migrations.get(name)?.depends_on ?? {}).includes(database ?? "");
    const needs = [
      ...new Set([
        ...named,
        ...mentioned.map((one) => this.names.of(one)),
        ...(spoken || migrates ? ["database"] : []),
      ]),
    ];
    return needs.length === 0 ? {} : { needs };
  }

  private volumes(name: string, service: ComposeService): { volumes?: unknown[] } {
    const volumes = service.volumes.flatMap(({ type, source, target }) => {
      if (type === "volume" && source !== undefined) {
        const users = Object.values(this.project.services).filter((one) =>
          one.volumes.some((each) => each.type === "volume" && each.source === source),
        ).length;
        const many = users > 1 || replicasOf(service) > 1;
        if (many) this.note(name, `its volume ${source} is written to by several, as it was: shareable`);
        const full = this.project.volumes[source]?.name ?? source;
        return [
          { name: Names.plain(source), path: target, volume: full, ...(many ? { shareable: true } : {}) },
        ];
      }
      if (type === "tmpfs") return [];
      if (source?.endsWith("/docker.sock") === true)
        this.note(name, `${target}: who has Docker's socket has the host: it is not given`);
      else
        this.note(
          name,
          type === "bind"
            ? `${relative(this.root, source ?? "")} is not mounted at ${target}: put it into the image (COPY), or its data into a volume`
            : `${target}: a mount of type ${type} is not taken over`,
        );
      return [];
    });
    return volumes.length === 0 ? {} : { volumes };
  }

  private grace(service: ComposeService): { stopGrace?: number; startTimeout?: number } {
    const stop = secondsOf(service.stop_grace_period);
    const start = secondsOf(service.healthcheck?.start_period);
    return {
      ...(stop === undefined || stop === 10 ? {} : { stopGrace: stop }),
      ...(start === undefined || start <= 60 ? {} : { startTimeout: start }),
    };
  }

  private security(name: string, service: ComposeService): { security?: unknown } {
    const capabilities = Array.isArray(service["cap_add"]) ? (service["cap_add"] as string[]) : [];
    const tmpfs = [
      ...(service.tmpfs ?? []).map((one) => one.split(":", 1)[0] ?? one),
      ...service.volumes.flatMap(({ type, target }) => (type === "tmpfs" ? [target] : [])),
    ];
    const user = /^\d+(:\d+)?$/.test(service.user ?? "") ? service.user : undefined;
    if (service.user !== undefined && user === undefined)
      this.note(name, `user ${service.user}: security.user takes numbers; it runs as its image says`);
    const group = {
      ...(user === undefined ? {} : { user }),
      ...(capabilities.length === 0 ? {} : { capabilities }),
      ...(tmpfs.length === 0 ? {} : { tmpfs: [...new Set(["/tmp", ...tmpfs])] }),
    };
    if (!isEmpty(group)) return { security: group };
    if (service.build !== undefined || service.user !== undefined) return {};
    this.note(name, "security: relaxed, for it is somebody else's image and ran so; try it without");
    return { security: "relaxed" };
  }

  /** What visitors come to is nginx's to publish. */
  private published(name: string, service: ComposeService, routed: boolean): { publish?: unknown[] } {
    const open = service.ports.filter(({ published }) => published !== undefined);
    if (open.length === 0) return {};
    if (routed) {
      const ports = open.map(({ published }) => published).join(", ");
      this.note(name, `port ${ports} of the host is not its own any more: nginx is in front of it`);
      return {};
    }
    return {
      publish: open.map(({ target, published, host_ip, protocol }) => ({
        port: target,
        ...(published === target ? {} : { host: published }),
        address: host_ip ?? "0.0.0.0",
        ...(protocol === "udp" ? { protocol } : {}),
      })),
    };
  }
}

/** As a host name: http://backend:3000, backend:3000, or alone. */
function mentions(text: string, service: string): boolean {
  return text === service || new RegExp(`(^|//|@|,)${service}[:/]`).test(text);
}

/** The command of a check, for sh. */
function testOf({ healthcheck }: ComposeService): string | undefined {
  const [kind = "", ...words] = healthcheck?.test ?? [];
  if (healthcheck?.disable === true || kind === "NONE" || kind === "") return undefined;
  if (kind === "CMD") return shellLine(words.map(undoubled));
  return undoubled(kind === "CMD-SHELL" ? words.join(" ") : [kind, ...words].join(" "));
}

/** A check that is nothing but a question over HTTP. */
function httpHealth(service: ComposeService): { port: number; path: string } | undefined {
  const test = testOf(service) ?? "";
  if (!/^\s*(curl|wget)\s/.test(test)) return undefined;
  const found = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(\/[^\s'"|&;]*)?/.exec(
    test,
  );
  return found === null ? undefined : { port: Number(found[1] ?? 80), path: found[2] ?? "/" };
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
