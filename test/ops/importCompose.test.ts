import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { concealed } from "../../ops/compose/conceal";
import { importCompose, type Imported } from "../../ops/compose/import";
import { composeProject } from "../../ops/compose/model";
import { looksSecret, mebibytesOf, secondsOf } from "../../ops/compose/values";
import { shellLine } from "../../ops/shell";
import { readValues } from "../../plan/config/read";

const FOLDER = join(__dirname, "compose");

/** answer.json is what docker compose 2.40.3 made of compose.yaml: config --format json. */
function imported(name: string): Imported {
  const folder = join(FOLDER, name);
  const answer = readFileSync(join(folder, "answer.json"), "utf8").replaceAll("@FOLDER@", folder);
  return importCompose(composeProject.parse(JSON.parse(answer)), folder, (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  });
}

const notesOf = ({ notes }: Imported) =>
  notes.map(({ about, text }) => (about === "" ? text : `${about} ${text}`));

/** As a stack reads it. @throws ConfigError */
function read({ values, secrets }: Imported) {
  return readValues({
    host: { address: "local" },
    ...values,
    ...(secrets.length === 0 ? {} : { identityKey: "0".repeat(64) }),
  });
}

describe("a compose file as a stack", () => {
  it.each(["nest", "django", "go", "anchors"])("%s is a whole config", (name) => {
    expect(() => read(imported(name))).not.toThrow();
  });

  it("Nest, React and nginx: routes, migration, database, limits, volumes that are there", () => {
    const nest = imported("nest");
    expect(nest.values).toEqual({
      domain: ["shop.example.org", "www.shop.example.org"],
      services: {
        api: {
          source: "api",
          target: "production",
          args: { NODE_VERSION: "22" },
          port: 4000,
          route: ["/api/"],
          health: "/api/health",
          memory: 300,
          migrate: ["npx", "typeorm", "migration:run"],
          env: {
            DATABASE_URL:
              "postgres://${database.user}:${database.password}@${database.host}:${database.port}/${database.name}?schema=public",
            NODE_ENV: "production",
            REDIS_HOST: "redis",
            TEMPLATE: "cost ${amount}",
          },
          needs: ["database", "redis"],
          volumes: [{ name: "uploads", path: "/app/uploads", volume: "nest_uploads" }],
          stopGrace: 30,
        },
        redis: {
          image: "redis:7-alpine",
          healthCommand: "redis-cli ping",
          memory: 256,
          command: ["redis-server", "--appendonly", "yes"],
          volumes: [{ name: "redis-data", path: "/data", volume: "nest_redis-data" }],
          security: "relaxed",
        },
        web: { source: "web", port: 3000, route: ["/"], health: "/", memory: 128 },
      },
      database: {
        version: 16,
        image: "postgres:16-alpine",
        memory: 256,
        name: "shop",
        user: "shop",
        volume: "nest_pgdata",
        settings: { max_connections: "50" },
      },
    });
    expect(nest.secrets).toEqual([{ service: "api", name: "JWT_SECRET", value: "Zm9vYmFyYmF6cXV4" }]);
    expect(notesOf(nest)).toEqual(
      expect.arrayContaining([
        "nginx is left out: the stack brings its own nginx",
        "not taken over: nginx: location ~ \\.php$",
        "not taken over: nginx: client_max_body_size 25m: set proxy.maxBody",
        "migrate runs as the migration of api, before each release of it that needs it",
        "api the stack itself gives PORT",
        "web port 8080 of the host is not its own any more: nginx is in front of it",
      ]),
    );
    expect(JSON.stringify([nest.values, nest.notes])).not.toMatch(/pr1vate-pw|Zm9vYmFy/);
  });

  it("Django, Celery, Redis and Traefik: hosts, replicas, references, secrets by name and look", () => {
    const django = imported("django");
    expect(read(django).services.web).toMatchObject({
      route: ["/"],
      port: 8000,
      replicas: 2,
      needs: ["broker", "database"],
      env: { DB_HOST: "${database.host}", DB_NAME: "${database.name}", DB_PASSWORD: "${database.password}" },
      volumes: [{ name: "media", path: "/srv/media", volume: "site_media", shareable: true }],
    });
    expect(read(django).services.celery?.security).toMatchObject({
      user: "1000:1000",
      capabilities: ["SYS_NICE"],
    });
    expect(django.secrets.map(({ service, name }) => `${service}.${name}`)).toEqual([
      "celery.SECRET_KEY",
      "celery.SENTRY_DSN",
      "web.SECRET_KEY",
      "web.SENTRY_DSN",
    ]);
    expect(read(django).database).toMatchObject({
      version: 15,
      image: "postgis/postgis:15-3.4",
    });
    expect(read(django).database).not.toHaveProperty("volume");
    expect(notesOf(django).join("\n")).toMatch(
      /db its data lies in the folder .*pgdata and not in a volume: dump it/,
    );
    expect(notesOf(django).join("\n")).toMatch(/web config is not mounted at \/srv\/config/);
  });

  it("Go, Caddy and a broker: paths from a Caddyfile, ports past nginx, what has no equivalent is told", () => {
    const go = imported("go");
    expect(go.values).toMatchObject({
      domain: ["devices.example.org"],
      services: {
        app: { route: ["/api/", "/ws"], port: 8080, security: { tmpfs: ["/tmp", "/var/cache/app"] } },
        site: { route: ["/"], port: 80 },
        mqtt: {
          publish: [
            { port: 1883, address: "0.0.0.0" },
            { port: 9001, address: "127.0.0.1" },
          ],
        },
      },
    });
    expect(notesOf(go).join("\n")).toMatch(/app network_mode is not taken over/);
    expect(notesOf(go).join("\n")).toMatch(/mqtt privileged is not taken over/);
  });

  it("anchors, profiles, extends: other names where the stack's own stand in the way, also within addresses", () => {
    const anchors = imported("anchors");
    expect(Object.keys(anchors.values.services as object)).toEqual(["database-service", "my-app", "worker"]);
    expect(read(anchors).services.worker).toMatchObject({
      env: { API: "http://my-app:3000" },
      needs: ["my-app"],
      replicas: 3,
      command: ["node", "worker.js", "--queue", "two words"],
    });
    expect(notesOf(anchors).join("\n")).toMatch(/my_app entrypoint is not taken over/);
  });

  it("tells each key that it does not know", () => {
    const project = composeProject.parse({
      name: "x",
      services: {
        web: {
          image: "web:1",
          gpus: "all",
          volumes: [{ type: "bind", source: "/var/run/docker.sock", target: "/s" }],
        },
      },
    });
    expect(notesOf(importCompose(project, "/x", () => undefined)).join("\n")).toMatch(
      /web gpus is not taken over: it has no equivalent here\n(.*\n)*web \/s: who has Docker's socket has the host/,
    );
  });
});

describe("a password in the text of a command", () => {
  const project = (services: object) =>
    importCompose(composeProject.parse({ name: "p", services }), "/p", () => undefined);
  const serviceOf = ({ values }: Imported, name: string) =>
    (values.services as Record<string, Record<string, unknown>>)[name];

  it("is read from the variable that holds it, and printed nowhere", () => {
    const all = project({
      redis: {
        image: "redis:7",
        command: ["redis-server", "--requirepass", "hunter-22"],
        healthcheck: { test: ["CMD", "redis-cli", "-a", "hunter-22", "ping"] },
      },
      mysql: {
        image: "mysql:8",
        environment: { MYSQL_ROOT_PASSWORD: "r00t" },
        healthcheck: { test: ["CMD-SHELL", "mysqladmin ping -uroot -pr00t || exit 1"] },
      },
      queue: {
        image: "rabbitmq:3",
        environment: { LOGIN: "me:s3cr3t-x" },
        command: "worker --url 'amqp://me:s3cr3t-x@queue'",
        healthcheck: { test: ["CMD-SHELL", "check --password=$$TOKEN"] },
      },
    });
    expect(serviceOf(all, "redis")).toMatchObject({
      command: ["sh", "-c", 'exec redis-server --requirepass "$PASSWORD"'],
      healthCommand: 'redis-cli -a "$PASSWORD" ping',
    });
    expect(serviceOf(all, "mysql")).toMatchObject({
      healthCommand: 'mysqladmin ping -uroot -p"$MYSQL_ROOT_PASSWORD" || exit 1',
    });
    expect(serviceOf(all, "queue")).toMatchObject({ healthCommand: "check --password=$TOKEN" });
    expect(all.secrets).toContainEqual({ service: "redis", name: "PASSWORD", value: "hunter-22" });
    expect(JSON.stringify([all.values, all.notes])).not.toMatch(/hunter-22|r00t[^"]|amqp:..me:s3cr3t/);
  });

  it("that is the database's is the stack's own", () => {
    const all = project({
      db: { image: "postgres:16", environment: { POSTGRES_PASSWORD: "pg-pass", POSTGRES_USER: "u" } },
      exporter: { image: "exporter:1", command: ["exporter", "postgres://u:pg-pass@db/u"] },
    });
    expect(serviceOf(all, "exporter")).toMatchObject({
      command: ["sh", "-c", 'exec exporter postgres://u:"$DATABASE_PASSWORD"@db/u'],
      env: { DATABASE_PASSWORD: "${database.password}" },
      needs: ["database"],
    });
    expect(JSON.stringify([all.values, all.notes])).not.toContain("pg-pass");
  });

  it("is left out where only options are given, and in build arguments", () => {
    const all = project({
      redis: { image: "redis:7", command: ["--requirepass", "hunter-22"] },
      web: { build: { context: "/p/web", args: { NPM_TOKEN: "npm-1234", MODE: "production" } } },
    });
    expect(serviceOf(all, "redis")).not.toHaveProperty("command");
    expect(serviceOf(all, "web")).toMatchObject({ args: { MODE: "production" } });
    expect(notesOf(all).join("\n")).toMatch(/redis command is not taken over/);
    expect(notesOf(all).join("\n")).toMatch(/NPM_TOKEN is not taken over/);
    expect(JSON.stringify([all.values, all.notes])).not.toMatch(/hunter-22|npm-1234/);
  });

  it.each([
    ["pg_isready -U app", "pg_isready -U app"],
    ["auth-check --port 80", "auth-check --port 80"],
    [`sh -c 'ping -p --password "a b"'`, `sh -c 'ping -p --password "'"$V"'"'`],
    ["REDISCLI_AUTH=hunter22 redis-cli ping", 'REDISCLI_AUTH="$V" redis-cli ping'],
  ])("%s", (given, right) => {
    expect(concealed(given, [], () => "V")).toBe(right);
  });

  it("says to sh what it said", () => {
    const line = `printf '%s|' --password=a1b2c3 "--token=a1b2c3" 'x "--secret" a1b2c3 y'`;
    const text = execFileSync("sh", ["-c", concealed(line, ["a1b2c3"], () => "V")], {
      env: { V: "a1b2c3" },
      encoding: "utf8",
    });
    expect(text).toBe('--password=a1b2c3|--token=a1b2c3|x "--secret" a1b2c3 y|');
  });
});

describe("compose's amounts", () => {
  it.each([
    ["30s", 30],
    ["1m30s", 90],
    ["1h", 3600],
    ["soon", undefined],
    [undefined, undefined],
  ])("%s is %s seconds", (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
  it.each([
    ["314572800", 300],
    ["300m", 300],
    ["1g", 1024],
    ["1.5GB", 1536],
    ["x", undefined],
  ])("%s is %s MiB", (text, mib) => {
    expect(mebibytesOf(text)).toBe(mib);
  });
  it("quotes words for sh where they need it", () => {
    expect(shellLine(["a", "b c", "it's"])).toBe("a 'b c' 'it'\\''s'");
  });
  it.each<[string, string, boolean]>([
    ["JWT_SECRET", "x", true],
    ["BROKER", "amqp://u:p@mq:5672", true],
    ["X", "8f2a0c4e6b1d3f5a7c9e0b2d4f6a8c0e", true],
    ["KEYBOARD", "qwerty", false],
    ["API", "http://web:3000", false],
    ["DJANGO_SETTINGS_MODULE", "config.settings.production_of_site", false],
  ])("%s=%s looks secret: %s", (name, value, secret) => {
    expect(looksSecret(name, value)).toBe(secret);
  });
});
