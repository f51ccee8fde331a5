import { isIP } from "node:net";
import { z } from "zod";
import { checks } from "./checks";
import { notify } from "./notify";
import { scheduleProblem } from "./schedule";
import { between, composed, COMPOSED, hostPath, isTimeZone, line, noNul, text } from "./values";

/**
 * What a stack may say, as a zod schema: every field with its unit, its default and the sentence that an error shows.
 * Object keys are strict: an unknown key is an error (see ./errors for its suggestion). What one field alone cannot
 * show is in ./check.
 */

const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$/;
/** Less than PATH: a route stands in nginx.conf, where ; ends a directive, and nginx matches it after decoding. */
const ROUTE = /^\/[A-Za-z0-9._~+,=:@/-]*$/;
const FILE = /^[A-Za-z0-9._~+,=:@/-]+$/;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
/** As Docker tells a registry from a folder of its own one: by a dot or a port, or by its name. */
const REGISTRY = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?|[a-z0-9-]+:\d{1,5}|localhost)$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that the program gives to its own containers and volumes, and one that every JavaScript object has. */
export const RESERVED_NAMES = ["database", "proxy", "constructor"] as const;

const name = z
  .string()
  .regex(NAME, "must be 1-40 characters a-z, 0-9 and -, and begin with a letter")
  .refine((one) => !(RESERVED_NAMES as readonly string[]).includes(one), {
    message: `must not be one of ${RESERVED_NAMES.join(", ")}: the program uses these names itself`,
  });

/** What Docker itself leaves to a container. */
export const USUAL_CAPABILITIES: readonly string[] = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"],
  ...["NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];

/** `security: relaxed`: as plain Docker runs an image, for those that need it. */
const RELAXED = { user: "image", readOnly: false, tmpfs: [] };

const MIGRATION_KINDS = ["expand", "contract", "offline"] as const;
export type MigrationKind = (typeof MIGRATION_KINDS)[number];

const port = between(1, 65535);
/** 6 MiB is the least that Docker accepts. */
const memory = between(6, 1_048_576, "MiB");
const seconds = between(1, 3600, "seconds");

const commandRule = "must be a command as a list, such as [node, migrate.js]";
const command = z
  .array(
    // Docker's provider refuses an empty argument.
    z
      .string()
      .min(1, "must not be empty: such an argument cannot be passed on")
      .refine(noNul, "must not contain a NUL character")
      .refine(composed, COMPOSED),
    commandRule,
  )
  .min(1, commandRule);
const image = text
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/, { error: "must be an image's name", abort: true })
  .refine((one) => /[:@][^/]*$/.test(one), {
    error: (issue) => `must name a version, such as ${String(issue.input)}:1.2.3`,
  });
const urlPath = z.string().regex(PATH, "must be a path that begins with / and has no spaces or quotes");
const routeRule = "must begin with / and hold letters, digits and . _ ~ + , = : @ - only, such as / or /api/";
const route = z.string().regex(ROUTE, routeRule);
const hostName = z.string().regex(HOST_NAME, "must be a host name such as crm.example.org");
const hostPattern = z
  .string()
  .regex(
    /^(?=.{1,253}$)(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i,
    "must be a host name such as api.example.org, or *.example.org",
  );
const networkAddress = z.string().refine((one) => {
  const [address = "", length, ...more] = one.split("/");
  const version = isIP(address);
  const bits = length ?? "0";
  return (
    version > 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  );
}, "must be an IP address, or a network such as 10.0.0.0/8");
/** What nginx and the services say themselves of a response's body and connection. */
const FRAMING =
  /^(connection|content-(length|encoding|type)|date|keep-alive|server|trailer|transfer-encoding|upgrade)$/i;
const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, "must be a header's name such as X-Frame-Options")
  .refine(
    (one) => !FRAMING.test(one),
    "must not be a header that belongs to the response's body or connection",
  );
const headerValue = z
  .string()
  .regex(/^[\x20-\x7e]+$/, "must be one line of ASCII")
  .refine((one) => !one.includes("$"), "must not contain $: nginx has no way to write it");
const login = z.string().regex(/^[A-Za-z0-9._@-]{1,64}$/, "must be a login of letters, digits and . _ @ -");

const ipAddress = z.string().refine((one) => isIP(one) !== 0, "must be an IP address");

/** A folder or file of the deployer's machine. */
const relativePath = text.refine(
  (one) => !/^[/~]/.test(one),
  "must be relative to the project: it must fit every deployer",
);
const containerPath = z
  .string()
  .regex(/^\/[^\s:]+$/, "must be an absolute path in the container")
  .refine(composed, COMPOSED);

const envName = z
  .string()
  .regex(ENV_NAME, "must be a name of letters, digits and _, not beginning with a digit");
const envValue = z
  .union([z.string(), z.number(), z.boolean()], "must be a text, a number or true/false")
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: "is too long to be kept exactly as a number: put it in quotes",
  })
  .transform(String)
  .refine(noNul, "must not contain a NUL character: an environment cannot carry it");
const environment = z.record(envName, envValue.refine(composed, COMPOSED));
/** They go to the builder as they are. */
const buildArguments = z.record(envName, envValue);

/** One that is there already, by its full name. */
const volumeOnHost = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]+$/, "must be the name of a Docker volume");

const volume = z.strictObject({
  /** The volume is called <project>-<stack>-<name>. */
  name,
  path: containerPath,
  /** Else one that is on the host already, by its full name: it is taken over with its data. */
  volume: volumeOnHost.optional(),
  /** Whether two versions of the service may write to it at once, so that start-first is safe. */
  shareable: z.boolean().default(false),
});

/** What every container is refused unless its service asks for it. */
const securityGroup = z.strictObject(
  {
    /** `auto`: as the image says, but 1000:1000 where that is root. `image`: as the image says. */
    user: z
      .string()
      .regex(/^([0-9]+(:[0-9]+)?|auto|image)$/, "must be a numeric user or user:group, or auto, or image")
      .default("auto"),
    readOnly: z.boolean().default(true),
    capabilities: z
      .array(z.string().regex(/^[A-Z_]+$/, "must be a capability such as NET_BIND_SERVICE"))
      .default([]),
    newPrivileges: z.boolean().default(false),
    tmpfs: z.array(containerPath).default(["/tmp"]),
  },
  {
    error: (issue) => (issue.code === "invalid_type" ? "must be relaxed, or a group of settings" : undefined),
  },
);
const security = z.preprocess(
  (value) => (value === "relaxed" ? { ...RELAXED, capabilities: [...USUAL_CAPABILITIES] } : value),
  securityGroup,
);

const service = z.strictObject({
  /** The build context: a folder, relative to the project. */
  source: relativePath.optional(),
  /** An image made elsewhere, instead of source. */
  image: image.optional(),
  /** Relative to source. */
  dockerfile: relativePath.default("Dockerfile"),
  target: text.optional(),
  args: buildArguments.default({}),
  port: port.optional(),
  /** Public path prefixes that go to this service, such as / or /api/. */
  route: z
    .union([route.transform((one) => [one]), z.array(route)], `${routeRule}; or be a list of such`)
    .default([]),
  /** The host names that its routes are served under, instead of the site's domain. */
  host: z
    .union(
      [hostPattern.transform((one) => [one]), z.array(hostPattern)],
      "must be a host name such as api.example.org or *.example.org, or a list of them",
    )
    .default([]),
  /** Headers of each response to visitors; one of the same name that the service sends is replaced. */
  headers: z.record(headerName, headerValue).default({}),
  /** Instead of proxy.maxBody and proxy.timeout. */
  maxBody: between(1, 10_240, "MiB").optional(),
  timeout: seconds.optional(),
  /** The visitors that are let in, by address; none: all. */
  allow: z.array(networkAddress).default([]),
  /** Login -> password, a stack secret: who is let in. None: all. */
  basicAuth: z.record(login, text.min(8, "must have at least 8 characters")).default({}),
  /** Paths of files that never change, such as those with a hash in their name: browsers keep them for a year. */
  cache: z.array(route).default([]),
  /** How many containers of it run; requests are spread over them. 0: it is there for its jobs alone. */
  replicas: between(0, 20, "containers").default(1),
  /** What its build alone is told, as BuildKit's secrets: in no layer, and another value builds nothing again. */
  buildSecrets: z.record(envName, text).default({}),
  /** Ports of the host that lead straight to it, past nginx: for what does not speak HTTP. */
  publish: z
    .array(
      z.strictObject({
        /** Where it listens in its container. */
        port,
        /** The host's; else the same. */
        host: port.optional(),
        address: ipAddress.default("127.0.0.1"),
        protocol: z.enum(["tcp", "udp"], "must be tcp or udp").default("tcp"),
      }),
    )
    .default([]),
  /** Answers 2xx when ready. */
  health: urlPath.optional(),
  /** For images without HTTP: run in the container by sh, exit code 0 when ready. */
  healthCommand: text.refine(composed, COMPOSED).optional(),
  memory,
  /** MiB that a build of its image may take on the host; else what the builds before have taken. */
  buildMemory: memory.optional(),
  env: environment.default({}),
  /** A file of plain values for env, relative to the project; what stands in env itself counts. */
  envFile: relativePath.optional(),
  secrets: environment.default({}),
  volumes: z.array(volume).default([]),
  needs: z.array(z.string()).default([]),
  /** Names that must be set in env or secrets before a deploy (checks.environment). */
  requires: z.array(envName).default([]),
  /** Run to its end in a one-off container of the new image, before anything is switched. */
  migrate: command.optional(),
  migrateTimeout: seconds.default(600),
  /**
   * What it does to the data, and so who can still work with it: expand (every earlier release), contract (the release
   * that it replaces, and none before), offline (only the new one, so the old one is stopped before). Else expand.
   */
  migrateKind: z.enum(MIGRATION_KINDS, `must be one of ${MIGRATION_KINDS.join(", ")}`).optional(),
  command: command.optional(),
  /** Between SIGTERM and SIGKILL. */
  stopGrace: seconds.default(10),
  /** How long a new version may take to become healthy. */
  startTimeout: seconds.default(60),
  order: z
    .enum(["auto", "start-first", "stop-first"], "must be auto, start-first or stop-first")
    .default("auto"),
  security: security.prefault({}),
});

const databaseName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, "must be a PostgreSQL name: 1-63 characters a-z, 0-9 and _");

const database = z.strictObject({
  /** The major version of PostgreSQL; its image is postgres:<version>-bookworm unless image says otherwise. */
  version: between(13, 99, "(PostgreSQL's major version)"),
  image: image.optional(),
  memory,
  /** The name of the data volume: existing data is adopted by naming its volume. */
  volume: volumeOnHost.optional(),
  name: databaseName.default("app"),
  /** Owns all. Its logins are called <user>_v<passwordVersion>, and PostgreSQL keeps 63 characters. */
  user: databaseName.refine((one) => one.length <= 54, "must have 54 characters at most").default("app"),
  /** Add one to get a new password; it is made by the stack and never typed. */
  passwordVersion: between(1, 1_000_000).default(1),
  settings: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]*$/, "must be a PostgreSQL setting"),
      envValue.refine(composed, COMPOSED),
    )
    .default({}),
  stopGrace: seconds.default(30),
  startTimeout: seconds.default(120),
});

/** What the host's cron runs in a container of a service's image. */
const job = z.strictObject({
  /** Whose image, environment, secrets, volumes and networks it has. */
  service: z.string(),
  command,
  schedule: z.string().superRefine((one, context) => {
    const problem = scheduleProblem(one);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  }),
  /** Of its schedule; else the host's own. */
  zone: z
    .string()
    .refine(
      (one) => /^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/.test(one) && isTimeZone(one),
      "must be a time zone such as Europe/Moscow",
    )
    .optional(),
  /** MiB; else as much as its service. */
  memory: memory.optional(),
  /** How long it may run. */
  timeout: between(1, 86_400, "seconds").default(3600),
  /** When it is to begin and still runs: not this time, or when it has ended. */
  overlap: z.enum(["skip", "wait"], "must be skip or wait").default("skip"),
});

const addressRule = "must be local, ssh://user@name or ssh://user@name:port, an IPv6 address in brackets";

const host = z.strictObject({
  address: z
    .string()
    .regex(
      /^(local|ssh:\/\/[A-Za-z0-9_][A-Za-z0-9._-]*@([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?)$/,
      { error: addressRule, abort: true },
    )
    .refine((one) => {
      const [, inside] = /\[(.*)\]/.exec(one) ?? [];
      return inside === undefined || isIP(inside) === 6;
    }, addressRule),
  /** The server's public key, as `ssh-keyscan` prints it without the name: "ssh-ed25519 AAAA...". */
  hostKey: z
    .string()
    .regex(
      /^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+$/,
      'must be a public key such as "ssh-ed25519 AAAA...", without a host name or a comment',
    )
    .optional(),
  /** A key file for ssh, the same words for all who deploy: ~/... or ${NAME}. Without it the ssh agent is asked. */
  identityFile: z
    .string()
    .regex(
      /^(~\/|\$\{[A-Z0-9_]+\})[^\s"'%]*$/,
      "must begin with ~/ or be ${NAME} (an environment variable), without spaces: it must fit every deployer",
    )
    .optional(),
  /** MiB that the stack may count on, when it is less than the machine has. */
  memory: memory.optional(),
  /** Where the host keeps what it remembers of the stack. */
  stateDir: hostPath.optional(),
  platform: z
    .string()
    .regex(/^linux\/[a-z0-9]+(\/v\d)?$/, "must be such as linux/amd64")
    .optional(),
  /** Where the deploy log is kept; else /var/log/<project>-deploy.log. */
  log: hostPath.optional(),
  /** How long a second deploy waits for the first. */
  lockWait: between(0, 3600, "seconds").default(60),
});

const tlsFile = z.string().regex(FILE, "must be a file's name, relative to tls.folder");

export const schema = z.strictObject({
  host,
  domain: z.union(
    [hostName.transform((one) => [one]), z.array(hostName).min(1)],
    "must be a host name such as crm.example.org, or a list of them",
  ),
  /** Other names of the site: who comes there is sent on to the name that is given, with the same path. */
  redirects: z.record(hostName, hostName).default({}),
  /** Where the site is published on the host. Address 127.0.0.1 keeps it to the machine itself. */
  http: z
    .strictObject({
      port: port.default(80),
      /** `::` is IPv6 alone, as in Docker: [0.0.0.0, "::"] is both. */
      address: z
        .union([ipAddress.transform((one) => [one]), z.array(ipAddress).min(1)], {
          error: "must be an IP address, or a list of them",
        })
        .default(["0.0.0.0"]),
    })
    .prefault({}),
  /** A certificate kept on the host by others (certbot); its folder is mounted read-only. */
  tls: z
    .strictObject({
      folder: z.string().regex(/^\/[A-Za-z0-9._~+,=:@/-]+$/, "must be an absolute path on the host"),
      certificate: tlsFile,
      key: tlsFile,
      /** Whether browsers are told to come by https only, for a year. */
      hsts: z.boolean().default(false),
      port: port.default(443),
    })
    .optional(),
  proxy: z
    .strictObject({
      image: image.default("nginx:1.30-trixie"),
      memory: memory.default(64),
      /** The largest request body, MiB. */
      maxBody: between(1, 10_240, "MiB").default(16),
      /** How long a service may be silent: before its answer, or in the middle of it. */
      timeout: seconds.default(60),
      /** Proxies in front of this one: what they say of the visitor is believed. */
      trust: z.array(networkAddress).default([]),
      /** Whether each request of a visitor is written to nginx's standard output. */
      accessLog: z.boolean().default(true),
    })
    .prefault({}),
  services: z
    .record(name, service)
    .refine((all) => Object.keys(all).length > 0, "must have at least one service"),
  database: database.optional(),
  jobs: z.record(name, job).default({}),
  smoke: z
    .array(
      z.strictObject({
        path: urlPath,
        status: between(100, 599).default(200),
        contains: line.optional(),
        host: hostName.optional(),
      }),
    )
    .default([]),
  /** How long a new version is watched under real requests before the old one goes. */
  observe: between(0, 3600, "seconds").default(1),
  /** Requests of our own while a release runs, a second; 0: none. */
  measure: z.strictObject({ rate: between(0, 50, "requests a second").default(10) }).prefault({}),
  /** What a release may cost: more of it is said, or takes the release back. */
  budget: z
    .strictObject({
      /** Requests that fail. */
      failed: between(0, 1_000_000, "requests").optional(),
      /** Seconds without an answer. */
      gap: z.number().min(0).max(3600).optional(),
      /** How long it takes on the host. */
      seconds: seconds.optional(),
      level: z.enum(["warn", "fail"]).default("warn"),
    })
    .optional(),
  /** How many releases stay ready to go back to, the one that serves among them. */
  keep: between(2, 50, "releases").default(5),
  /** The number of an earlier release that is to serve instead of what is configured here (docs/releases.md). */
  rollbackTo: between(1, 1_000_000).optional(),
  /** Logins for images that are not everybody's, by the registry's name as it stands in their references. */
  registries: z
    .record(
      z
        .string()
        .regex(REGISTRY, "must be a registry as in an image's name: ghcr.io, registry.example.org:5000"),
      z.strictObject({ username: line, password: line }),
    )
    .default({}),
  /** What is looked at before anything is changed. */
  checks: checks.prefault({}),
  /** Who is told how it ended. */
  notify: notify.prefault({}),
  strategy: z.enum(["rolling"], "must be rolling").default("rolling"),
  /** Where images are built: on the host where its free memory allows it, or always there, or always here. */
  build: z.enum(["auto", "host", "local"], "must be auto, host or local").default("auto"),
  /** Change it (a date, say) to build again on the newest base images. */
  baseRefresh: z.string().default(""),
  /** The key of the fingerprints of secrets; itself a secret. */
  identityKey: z.string().min(32, "must have at least 32 characters").optional(),
});

export type Config = z.infer<typeof schema>;
export type ServiceConfig = Config["services"][string];
export type DatabaseConfig = NonNullable<Config["database"]>;
