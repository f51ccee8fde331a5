import { describe, expect, it } from "vitest";
import type { Config } from "../../../plan/config/schema";
import {
  databaseSpec,
  migrationSpec,
  nameContainer,
  proxySpec,
  serviceSpec,
} from "../../../plan/wanted/container";
import { volumeName } from "../../../plan/wanted/names";
import { relaxations, runsAs, userOf } from "../../../plan/wanted/security";
import { change, LEAST, read, type Values } from "../support/config";
import { NAMES } from "../support/stack";

const WEB: Values = {
  ...LEAST,
  database: { version: 17, memory: 200 },
  services: {
    web: { image: "web:1", port: 3000, route: "/", health: "/health", memory: 128, needs: ["database"] },
    cache: { image: "cache:1", port: 6379, healthCommand: "cache ping", memory: 32 },
    worker: { image: "worker:1", memory: 64 },
  },
};

const spec = (config: Config, name = "web") => serviceSpec(name, config, "web:1", NAMES);
function databaseOf({ database }: Config) {
  if (database === undefined) throw new Error("no database");
  return databaseSpec(database, NAMES);
}

const TLS = { folder: "/etc/certs", certificate: "a", key: "b" };
const PRIVATE = { image: "web:1", port: 3000, health: "/health", memory: 64 };

describe("a service's container", () => {
  it("is hardened, and finds its database", () => {
    expect(spec(read(WEB))).toEqual({
      service: "web",
      role: "service",
      image: "web:1",
      command: undefined,
      env: {
        PORT: { plain: "3000" },
        DATABASE_URL: { withPassword: "postgres://app:\0@database:5432/app", version: 1 },
        PGHOST: { plain: "database" },
        PGPORT: { plain: "5432" },
        PGUSER: { plain: "app" },
        PGDATABASE: { plain: "app" },
        PGPASSWORD: { withPassword: "\0", version: 1 },
      },
      memory: 128,
      user: "auto",
      readOnly: true,
      capabilities: [],
      newPrivileges: false,
      tmpfs: ["/tmp"],
      mounts: [],
      networks: ["edge", "data"],
      aliases: [],
      ports: [],
      health: { kind: "http", port: 3000, path: "/health", origin: "http://crm.example.org" },
      stopGrace: 10,
      startTimeout: 60,
    });
  });

  it("has no database where it needs none", () => {
    const { env, networks } = spec(read(change(WEB, "services.web.needs", [])));
    expect([Object.keys(env), networks]).toEqual([["PORT"], ["edge"]]);
  });

  it("is told what the user says, also in place of what the program would say", () => {
    const config = read(change(WEB, "services.web.env", { PORT: 80, PGHOST: "elsewhere", LEVEL: "info" }));
    expect(spec(config).env).toMatchObject({
      PORT: { plain: "80" },
      PGHOST: { plain: "elsewhere" },
      LEVEL: { plain: "info" },
    });
  });

  it.each([
    ["web", [], { kind: "http", port: 3000, path: "/health", origin: "http://crm.example.org" }],
    ["cache", ["cache"], { kind: "exec", command: "cache ping" }],
    ["worker", ["worker"], { kind: "none" }],
  ])("%s: is found and asked as it can be", (name, aliases, health) => {
    const found = spec(read(WEB), name);
    expect([found.aliases, found.health]).toEqual([aliases, health]);
  });

  it.each<[what: string, edits: Readonly<Record<string, unknown>>, origin: string]>([
    ["the site's name", {}, "http://crm.example.org"],
    ["the port that visitors see", { "http.port": 8080 }, "http://crm.example.org:8080"],
    ["https where the site has it", { tls: TLS }, "https://crm.example.org"],
    ["https at a port of its own", { tls: { ...TLS, port: 8443 } }, "https://crm.example.org:8443"],
    ["the first of its names", { domain: ["a.example", "b.example"] }, "http://a.example"],
    ["its own name, where no visitor gets to it", { "services.web.route": [] }, "http://web:3000"],
    ["its own name alone, at the usual port", { "services.web": { ...PRIVATE, port: 80 } }, "http://web"],
  ])("is asked for health as %s", (_, edits, origin) => {
    const values = Object.entries(edits).reduce((all, [path, value]) => change(all, path, value), WEB);
    expect(spec(read(values)).health).toMatchObject({ origin });
  });

  it("has volumes of its stack", () => {
    const config = read(change(WEB, "services.web.volumes", [{ name: "uploads", path: "/u" }]));
    expect(spec(config).mounts).toEqual([{ type: "volume", source: "shop-test-uploads", target: "/u" }]);
    expect(volumeName({ project: "a", stack: "b" }, "c")).toBe("a-b-c");
  });
});

describe("the container of a migration", () => {
  it("is the service's, with another command, and is not found by anyone", () => {
    const config = read(change(WEB, "services.worker.migrate", ["node", "migrate.js"]));
    const of = spec(config, "worker");
    const service = config.services.worker;
    if (service === undefined) throw new Error("no worker");
    expect(of.aliases).toEqual(["worker"]);
    expect(migrationSpec("worker", service, of)).toEqual({
      ...of,
      role: "migrate",
      command: ["node", "migrate.js"],
      aliases: [],
      health: { kind: "none" },
      startTimeout: 600,
    });
    expect(nameContainer(migrationSpec("worker", service, of), undefined).key).toMatch(
      /^worker-migrate-[0-9a-f]{12}$/,
    );
  });
});

describe("the database's container", () => {
  it("keeps its data in a volume, listens inside only, and is asked over TCP", () => {
    expect(databaseOf(read(WEB))).toMatchObject({
      image: "postgres:17-bookworm",
      command: ["postgres", "-c", "shared_buffers=50MB"],
      env: {
        POSTGRES_DB: { plain: "app" },
        POSTGRES_USER: { plain: "app" },
        POSTGRES_PASSWORD: { withPassword: "\0", version: 1 },
      },
      user: "999:999",
      readOnly: true,
      mounts: [{ type: "volume", source: "shop-test-database", target: "/var/lib/postgresql/data" }],
      networks: ["data"],
      aliases: ["database"],
      ports: [],
      health: { kind: "exec", command: "pg_isready -q -h 127.0.0.1 -U app -d app" },
    });
  });

  it.each([
    [17, "/var/lib/postgresql/data"],
    [18, "/var/lib/postgresql"],
  ])("version %i: mounts where the official image keeps its data", (version, target) => {
    expect(databaseOf(read(change(WEB, "database.version", version))).mounts[0]?.target).toBe(target);
  });

  it("takes over data and image of another", () => {
    const values = change(change(WEB, "database.volume", "old"), "database.image", "postgis:17-3.5");
    const { image, mounts } = databaseOf(read(values));
    expect([image, mounts[0]?.source]).toEqual(["postgis:17-3.5", "old"]);
  });

  it("is set as configured, in one order", () => {
    const settings = { work_mem: "8MB", shared_buffers: "64MB", max_connections: 20 };
    const { command } = databaseOf(read(change(WEB, "database.settings", settings)));
    const words = ["-c", "max_connections=20", "-c", "shared_buffers=64MB", "-c", "work_mem=8MB"];
    expect(command).toEqual(["postgres", ...words]);
  });

  it("has 16 MiB of shared buffers at the least", () => {
    expect(databaseOf(read(change(WEB, "database.memory", 32))).command).toContain("shared_buffers=16MB");
  });
});

describe("the proxy's container", () => {
  it("carries the names that services need each other by, and alone has ports", () => {
    const config = read(WEB);
    expect(proxySpec(config, NAMES)).toMatchObject({
      entrypoint: ["nginx", "-c", "/etc/nginx/state/nginx.conf", "-g", "daemon off;"],
      user: "101:101",
      readOnly: true,
      mounts: [{ type: "volume", source: "shop-test-proxy", target: "/etc/nginx/state" }],
      networks: ["edge"],
      aliases: [],
      ports: [{ internal: 61080, external: 80, ip: "0.0.0.0" }],
      health: { kind: "proxy" },
    });
    for (const name of ["web", "cache", "worker"]) expect(spec(config, name).ports).toEqual([]);
  });

  it("leaves every port inside to the services", () => {
    const ports = [80, 443, 8079, 61080, 61081, 61443];
    const services = Object.fromEntries(ports.map((port) => [`on${port}`, { ...PRIVATE, port }]));
    const { ports: published } = proxySpec(read({ ...WEB, services, tls: TLS }), NAMES);
    expect(published.map(({ internal, external }) => [internal, external])).toEqual([
      [61082, 80],
      [61444, 443],
    ]);
  });

  it("gets another name only when a service is needed that was not, and gives one up only to a container", () => {
    const needing = (...needs: string[]) => read(change(WEB, "services.worker.needs", needs));
    const names = (config: Config, carried?: string[]) => proxySpec(config, NAMES, carried).aliases;
    expect(names(needing("web", "cache"))).toEqual(["web"]);
    expect(names(needing(), ["web"])).toEqual(["web"]);
    expect(names(needing("web"), ["other"])).toEqual(["other", "web"]);
    expect(names(needing("web"), ["cache", "gone", "web"])).toEqual(["gone", "web"]);
  });

  it("has the certificates, and their port, only with tls", () => {
    const tls = { folder: "/etc/certs", certificate: "a", key: "b", port: 8443 };
    const { mounts, ports } = proxySpec(read(change(WEB, "tls", tls)), NAMES);
    expect(mounts[1]).toEqual({ type: "bind", source: "/etc/certs", target: "/etc/certs", readOnly: true });
    expect(ports[1]).toEqual({ internal: 61443, external: 8443, ip: "0.0.0.0" });
  });
});

describe("relaxed security", () => {
  it.each([
    [{}, []],
    [{ user: "0" }, ["runs as root"]],
    [{ user: "0:5" }, ["runs as root"]],
    [{ user: "10" }, []],
    [{ readOnly: false }, ["may write to its root file system"]],
    [{ capabilities: ["SYS_PTRACE", "CHOWN"] }, ["keeps CHOWN, SYS_PTRACE"]],
    [{ newPrivileges: true }, ["may gain privileges"]],
  ])("%j is said in words", (security, words) => {
    const service = read(change(WEB, "services.web.security", security)).services.web;
    if (service === undefined) throw new Error("no web");
    expect(relaxations(service)).toEqual(words);
  });

  it("in its short form is what plain Docker leaves to an image", () => {
    const service = read(change(WEB, "services.web.security", "relaxed")).services.web;
    if (service === undefined) throw new Error("no web");
    expect(service.security).toEqual({
      user: "image",
      readOnly: false,
      capabilities: expect.arrayContaining(["CHOWN", "SETUID", "NET_BIND_SERVICE"]) as string[],
      newPrivileges: false,
      tmpfs: [],
    });
    expect(relaxations(service)).toEqual([
      "runs as whomever its image says, root too",
      "may write to its root file system",
      "keeps the capabilities that Docker leaves to any",
    ]);
  });
});

describe("whom a container runs as", () => {
  it.each([
    // what is wanted, what the image says, what Docker is told, what the plan says
    ["auto", "", "1000:1000", "1000:1000 (its image would be root)"],
    ["auto", "root", "1000:1000", "1000:1000 (its image would be root)"],
    ["auto", "0:0", "1000:1000", "1000:1000 (its image would be 0:0)"],
    ["auto", "nestjs", "", "nestjs (its image says so)"],
    ["auto", "1001:0", "", "1001:0 (its image says so)"],
    ["postgres", "", "postgres", "postgres (its image would be root)"],
    ["postgres", "1001", "", "1001 (its image says so)"],
    ["image", "", "", "root (its image says so)"],
    ["image", "nestjs", "", "nestjs (its image says so)"],
    ["33:33", "nestjs", "33:33", "33:33 (security.user)"],
    ["0:0", "", "0:0", "0:0 (security.user)"],
  ])("%s, of an image that says %j", (wanted, ofImage, told, words) => {
    expect(userOf(wanted, ofImage)).toBe(told);
    expect(runsAs(wanted, ofImage)).toBe(words);
  });

  it("is not known before its image is there", () => {
    expect(runsAs("auto", undefined)).toBe("whom its image names, or 1000:1000 where that is root");
    expect(runsAs("image", undefined)).toBe("whom its image names");
  });
});
