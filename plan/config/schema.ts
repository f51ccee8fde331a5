import { z } from "zod";

/**
 * What a stack may say, as a zod schema: every field with its unit, its default and the sentence that an error shows.
 * Object keys are strict: an unknown key is an error (see ./errors for its suggestion).
 */

const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that the program gives to its own containers. */
export const RESERVED_NAMES = ["database", "proxy"] as const;

const serviceName = z
  .string()
  .regex(NAME, "must be 1-40 characters a-z, 0-9 and -, and begin with a letter")
  .refine((name) => !(RESERVED_NAMES as readonly string[]).includes(name), {
    message: `must not be one of ${RESERVED_NAMES.join(", ")}: the program uses these names itself`,
  });

const port = z
  .number("must be a whole number 1-65535")
  .refine((n) => Number.isInteger(n) && n >= 1 && n <= 65535, {
    error: (issue) => `must be 1-65535, is ${String(issue.input)}`,
  });

const between = (low: number, high: number, unit: string) =>
  z.number(`must be a whole number of ${unit}`).refine((n) => Number.isInteger(n) && n >= low && n <= high, {
    error: (issue) => `must be ${low}-${high} ${unit}, is ${String(issue.input)}`,
  });

/** 6 MiB is the least that Docker accepts. */
const memory = between(6, 1_048_576, "MiB");
const seconds = between(1, 3600, "seconds");
const urlPath = z.string().regex(PATH, "must be a path that begins with / and has no spaces or quotes");
const text = z.string().min(1, "must not be empty");

const envName = z
  .string()
  .regex(ENV_NAME, "must be a name of letters, digits and _, not beginning with a digit");
const noNul = (value: string) => !value.includes("\0");
const envValue = z
  .union([z.string(), z.number(), z.boolean()], "must be a text, a number or true/false")
  .transform(String)
  .refine(noNul, "must not contain a NUL character: an environment cannot carry it");
const environment = z.record(envName, envValue);

const volume = z.strictObject({
  /** The volume is called <project>-<stack>-<name>. */
  name: z.string().regex(NAME, "must be 1-40 characters a-z, 0-9 and -, and begin with a letter"),
  path: z.string().regex(/^\/.+/, "must be an absolute path in the container"),
  /** Whether two versions of the service may write to it at once, so that start-first is safe. */
  shareable: z.boolean().default(false),
});

/** What every container is refused unless its service asks for it. */
const security = z.strictObject({
  user: z
    .string()
    .regex(/^[0-9]+(:[0-9]+)?$/, "must be a numeric user or user:group")
    .default("1000:1000"),
  readOnly: z.boolean().default(true),
  capabilities: z
    .array(z.string().regex(/^[A-Z_]+$/, "must be a capability such as NET_BIND_SERVICE"))
    .default([]),
  newPrivileges: z.boolean().default(false),
  tmpfs: z.array(z.string().regex(/^\/.+/, "must be an absolute path in the container")).default(["/tmp"]),
});

const service = z
  .strictObject({
    /** The build context: a folder, relative to the project. */
    source: text.optional(),
    /** An image made elsewhere, instead of source. */
    image: text.optional(),
    /** Relative to source. */
    dockerfile: text.default("Dockerfile"),
    target: text.optional(),
    args: z.record(z.string(), envValue).default({}),
    port: port.optional(),
    /** Public path prefixes that go to this service, such as / or /api/. */
    route: z.union([urlPath.transform((one) => [one]), z.array(urlPath).min(1)]).default([]),
    /** Answers 2xx when ready. */
    health: urlPath.optional(),
    /** For images without HTTP: run in the container by sh, exit code 0 when ready. */
    healthCommand: text.optional(),
    memory,
    env: environment.default({}),
    secrets: environment.default({}),
    volumes: z.array(volume).default([]),
    needs: z.array(z.string()).default([]),
    /** Run to its end in a one-off container of the new image, before anything is switched. */
    migrate: z.array(z.string()).min(1, "must be a command as a list, such as [node, migrate.js]").optional(),
    migrateTimeout: seconds.default(600),
    command: z.array(z.string()).min(1).optional(),
    /** Between SIGTERM and SIGKILL. */
    stopGrace: seconds.default(10),
    /** How long a new version may take to become healthy. */
    startTimeout: seconds.default(60),
    order: z
      .enum(["auto", "start-first", "stop-first"], "must be auto, start-first or stop-first")
      .default("auto"),
    security: security.prefault({}),
  })
  .check((ctx) => {
    const { value } = ctx;
    const wrong = (path: string, message: string) =>
      ctx.issues.push({ code: "custom", path: [path], message, input: value });
    if ((value.source === undefined) === (value.image === undefined)) {
      wrong("source", "give either source (a folder to build) or image (one made elsewhere)");
    }
    if (value.image !== undefined && !/[:@]/.test(value.image)) {
      wrong("image", `must name a version, such as ${value.image}:1.2.3`);
    }
    if (value.health !== undefined && value.healthCommand !== undefined) {
      wrong("healthCommand", "give either health (a path) or healthCommand");
    }
    if (value.port === undefined && value.health !== undefined) wrong("port", "is needed to ask health");
    if (value.port === undefined && value.route.length > 0) wrong("port", "is needed for a route");
    if (value.route.length > 0 && value.health === undefined) {
      wrong("health", "is needed for a route: requests go only to what answered it");
    }
    if (value.port !== undefined && value.health === undefined && value.healthCommand === undefined) {
      wrong("health", "give health (a path) or healthCommand: a release is only as good as its check");
    }
    if (value.order === "start-first" && value.volumes.some((one) => !one.shareable)) {
      wrong(
        "order",
        "start-first lets two versions write to a volume at once: say shareable on it, or use stop-first",
      );
    }
    for (const name of Object.keys(value.secrets)) {
      if (name in value.env) wrong("secrets", `${name} stands in env too: keep one`);
    }
  });

const database = z.strictObject({
  /** The major version of PostgreSQL; its image is postgres:<version>-bookworm unless image says otherwise. */
  version: between(13, 99, "(a major version of PostgreSQL)"),
  image: text.optional(),
  memory,
  /** The name of the data volume: existing data is adopted by naming its volume. */
  volume: text.optional(),
  name: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, "must be a PostgreSQL name: a-z, 0-9 and _")
    .default("app"),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, "must be a PostgreSQL name: a-z, 0-9 and _")
    .default("app"),
  /** Add one to get a new password; it is made by the stack and never typed. */
  passwordVersion: between(1, 1_000_000, "(a count)").default(1),
  settings: z.record(z.string().regex(/^[a-z_.]+$/, "must be a PostgreSQL setting"), envValue).default({}),
  stopGrace: seconds.default(30),
  startTimeout: seconds.default(120),
});

const host = z
  .strictObject({
    address: z
      .string()
      .regex(
        /^(local|ssh:\/\/[^@/\s]+@[^:/\s]+(:\d+)?)$/,
        "must be local or ssh://user@name or ssh://user@name:port",
      ),
    /** The server's public key, as `ssh-keyscan` prints it without the name: "ssh-ed25519 AAAA...". */
    hostKey: z
      .string()
      .regex(/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+$/, 'must be a public key such as "ssh-ed25519 AAAA..."')
      .optional(),
    /** A key file for ssh, the same words for all who deploy: ~/... or ${NAME}. Without it the ssh agent is asked. */
    identityFile: z
      .string()
      .regex(
        /^(~\/|\$\{[A-Z0-9_]+\})/,
        "must begin with ~/ or be ${NAME} (an environment variable): it must fit every deployer",
      )
      .optional(),
    /** MiB that the stack may count on, when it is less than the machine has. */
    memory: memory.optional(),
    /** Where the host keeps what it remembers of the stack. */
    stateDir: z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]+$/, "must be an absolute path")
      .optional(),
    platform: z
      .string()
      .regex(/^linux\/[a-z0-9]+(\/v\d)?$/, "must be such as linux/amd64")
      .optional(),
    /** How long a second deploy waits for the first. */
    lockWait: between(0, 3600, "seconds").default(60),
  })
  .check((ctx) => {
    const { value } = ctx;
    if (value.address.startsWith("ssh:") && value.hostKey === undefined) {
      const [, name = "", at = "22"] = /@([^:]+)(?::(\d+))?/.exec(value.address) ?? [];
      ctx.issues.push({
        code: "custom",
        path: ["hostKey"],
        message:
          `is needed with ssh: the server must prove who it is. Get it with: ssh-keyscan -t ed25519 -p ${at} ${name} ` +
          "and compare it with what the server itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        input: value,
      });
    }
  });

const hostFile = z.string().regex(/^\/[^\s;{}"']+$/, "must be an absolute path on the host");

export const schema = z.strictObject({
  host,
  domain: z
    .union(
      [z.string().transform((one) => [one]), z.array(z.string()).min(1)],
      "must be a host name, or a list of them",
    )
    .refine(
      (all) => all.every((one) => /^[a-z0-9.-]+$/i.test(one)),
      "must be host names such as crm.example.org",
    ),
  /** Where the site is published on the host. Address 127.0.0.1 keeps it to the machine itself. */
  http: z
    .strictObject({
      port: port.default(80),
      address: z
        .string()
        .regex(/^[0-9a-f.:]+$/i, "must be an IP address")
        .default("0.0.0.0"),
    })
    .prefault({}),
  /** A certificate kept on the host by others (certbot); its folder is mounted read-only. */
  tls: z.strictObject({ folder: hostFile, certificate: text, key: text, port: port.default(443) }).optional(),
  proxy: z
    .strictObject({
      image: text.default("nginx:1.28-bookworm"),
      memory: memory.default(48),
      /** The largest request body, MiB. */
      maxBody: between(1, 10_240, "MiB").default(16),
      /** How long an answer may take. */
      timeout: seconds.default(60),
    })
    .prefault({}),
  services: z
    .record(serviceName, service)
    .refine((all) => Object.keys(all).length > 0, "must have at least one service"),
  database: database.optional(),
  smoke: z
    .array(
      z.strictObject({
        path: urlPath,
        status: between(100, 599, "(an HTTP status)").default(200),
        contains: text.optional(),
        host: z.string().optional(),
      }),
    )
    .default([]),
  strategy: z.enum(["rolling"], "must be rolling").default("rolling"),
  /** Change it (a date, say) to build again on the newest base images. */
  baseRefresh: z.string().default(""),
  /** The key of the fingerprints of secrets; itself a secret. */
  identityKey: z.string().min(32, "must have at least 32 characters").optional(),
});

export type Config = z.infer<typeof schema>;
export type ServiceConfig = Config["services"][string];
export type DatabaseConfig = NonNullable<Config["database"]>;
