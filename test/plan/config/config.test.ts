import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findCycle } from "../../../plan/config/check";
import { ConfigError, pathText, suggestion } from "../../../plan/config/errors";
import { readConfig } from "../../../plan/config/read";
import { schema } from "../../../plan/config/schema";
import { COMPOSED } from "../../../plan/config/values";
import { serviceSpec } from "../../../plan/wanted/container";
import {
  asPulumi,
  change,
  completedProd,
  LEAST,
  problemsOf,
  read,
  stackFile,
  type Values,
} from "../support/config";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

/** A service that answers over HTTP, with a database, a volume and a secret. */
const WEB: Values = {
  host: { address: "ssh://deploy@example.org:2222", hostKey: "ssh-ed25519 AAAA" },
  domain: ["example.org", "www.example.org"],
  tls: { folder: "/etc/certs", certificate: "live/site.pem", key: "live/site.key" },
  database: { version: 17, memory: 128, settings: { max_connections: 20 } },
  services: {
    web: {
      source: "../web",
      port: 3000,
      route: ["/", "/api/"],
      health: "/health",
      memory: 128,
      env: { LEVEL: "info" },
      secrets: { TOKEN: "abc" },
      volumes: [{ name: "uploads", path: "/uploads" }],
      needs: ["database"],
      migrate: ["node", "migrate.js"],
    },
    worker: { image: "worker:1.0", memory: 64, needs: ["web"] },
  },
  smoke: [{ path: "/", contains: "<title>Shop</title>" }],
  notify: { language: "ru", telegram: { chat: -1001234567890, token: `123456:${"a".repeat(35)}` } },
  identityKey: "0123456789abcdef0123456789abcdef",
};

describe("a config that is accepted", () => {
  it("gets every default", () => {
    expect(read({ ...LEAST, proxy: undefined })).toEqual({
      host: { address: "local", lockWait: 60 },
      domain: ["crm.example.org"],
      http: { port: 80, address: ["0.0.0.0"] },
      redirects: {},
      registries: {},
      proxy: { image: "nginx:1.30-trixie", memory: 64, maxBody: 16, timeout: 60, trust: [], accessLog: true },
      services: {
        worker: {
          image: "worker:1.0",
          dockerfile: "Dockerfile",
          args: {},
          route: [],
          host: [],
          headers: {},
          allow: [],
          basicAuth: {},
          cache: [],
          publish: [],
          replicas: 1,
          buildSecrets: {},
          memory: 64,
          env: {},
          secrets: {},
          volumes: [],
          needs: [],
          requires: [],
          migrateTimeout: 600,
          stopGrace: 10,
          startTimeout: 60,
          order: "auto",
          security: {
            user: "auto",
            readOnly: true,
            capabilities: [],
            newPrivileges: false,
            tmpfs: ["/tmp"],
          },
        },
      },
      jobs: {},
      smoke: [],
      measure: { rate: 10 },
      observe: 1,
      keep: 5,
      checks: {
        tree: { level: "warn" },
        pushed: { level: "warn" },
        tests: { level: "stop", minutes: 15 },
        environment: { level: "stop" },
        quietHours: { level: "warn", zone: "UTC", days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] },
        memory: { level: "warn", free: 32 },
        disk: { level: "stop", free: 512 },
        clock: { level: "warn", seconds: 30 },
        certificate: { level: "warn", days: 14 },
        database: { level: "warn" },
        backup: { level: "warn" },
        comeback: { level: "stop" },
        olderCode: { level: "stop" },
      },
      notify: { language: "en" },
      strategy: "rolling",
      build: "auto",
      baseRefresh: "",
    });
  });

  it("keeps what is given", () => {
    const config = read(WEB);
    expect(config.domain).toEqual(["example.org", "www.example.org"]);
    expect(config.host.address).toBe("ssh://deploy@example.org:2222");
    expect(config.tls).toEqual({
      folder: "/etc/certs",
      certificate: "live/site.pem",
      key: "live/site.key",
      port: 443,
      hsts: false,
    });
    expect(config.services.web?.route).toEqual(["/", "/api/"]);
    expect(config.services.web?.volumes).toEqual([{ name: "uploads", path: "/uploads", shareable: false }]);
    expect(config.database?.settings).toEqual({ max_connections: "20" });
    expect(config.smoke).toEqual([{ path: "/", status: 200, contains: "<title>Shop</title>" }]);
  });

  it("reads again as itself", () => {
    const config = read(WEB);
    expect(read(config as unknown as Values)).toEqual(config);
  });

  it("takes one domain and one route as a text", () => {
    const config = read(change(change(WEB, "domain", "example.org"), "services.web.route", "/"));
    expect([config.domain, config.services.web?.route]).toEqual([["example.org"], ["/"]]);
  });

  it.each<[path: string, value: unknown]>([
    ["host.address", "ssh://root@crm"],
    ["host.hostKey", "ecdsa-sha2-nistp256 AAAA+/="],
    ["host.hostKey", "sk-ssh-ed25519@openssh.com AAAA"],
    ["host.identityFile", "~/.ssh/deploy"],
    ["host.identityFile", "${DEPLOY_KEY}"],
    ["host.platform", "linux/arm/v7"],
    ["host.lockWait", 0],
    ["http.address", "::1"],
    ["http.address", ["0.0.0.0", "::"]],
    ["host.address", "ssh://root@[2001:db8::1]"],
    ["host.address", "ssh://root@[::1]:2222"],
    ["services.web.host", "api.example.org"],
    ["services.web.host", ["api.example.org", "*.example.org"]],
    ["services.web.headers", { "Content-Security-Policy": `default-src 'self'; img-src "x"` }],
    ["services.web.allow", ["10.0.0.0/8", "2001:db8::/32"]],
    ["services.web.basicAuth", { "anna@example.org": "correct horse" }],
    ["services.web.cache", ["/assets/", "/api/static/"]],
    ["redirects", { "old.example.org": "example.org" }],
    ["services.web.security", "relaxed"],
    ["services.web.security.user", "image"],
    ["proxy.trust", ["10.0.0.1", "172.16.0.0/12", "2001:db8::/32"]],
    ["services.web.port", 65535],
    ["services.web.route", ["/~user/", "/a-b_c.d/@x:1,2=3+4"]],
    ["services.web.health", "/health?full=1&x=(a)"],
    ["services.web.env", { EMPTY: "", ZERO: 0, NO: false, MARKUP: "<b>hello</b>" }],
    ["services.web.command", ["sh", "-c", " "]],
    ["services.worker.image", "registry.example.org:5000/team/worker@sha256:abcd"],
    ["services.worker.healthCommand", "test -f /tmp/ready"],
    ["database.volume", "old_data.1"],
    ["identityKey", "x".repeat(32)],
  ])("%s: %j", (path, value) => {
    expect(problemsOf(change(WEB, path, value))).toEqual([]);
  });
});

describe("a wrong config", () => {
  const known = "known are address, hostKey, identityFile, lockWait, log, memory, platform, stateDir";
  const routeRule =
    "must begin with / and hold letters, digits and . _ ~ + , = : @ - only, such as / or /api/";
  const routes = `${routeRule}; or be a list of such`;
  const addressRule = "must be local, ssh://user@name or ssh://user@name:port, an IPv6 address in brackets";
  const keyRule = 'must be a public key such as "ssh-ed25519 AAAA...", without a host name or a comment';
  const nameRule = "must be 1-40 characters a-z, 0-9 and -, and begin with a letter";
  const reserved = "must not be one of database, proxy, constructor: the program uses these names itself";
  const worker = { image: "worker:1.0", memory: 64 };

  it.each<[path: string, value: unknown, ...lines: string[]]>([
    ["host", undefined, "host: is missing"],
    ["host", "local", "host: must be a group of settings, is a text"],
    ["host", ["local"], "host: must be a group of settings, is a list"],
    ["host", null, "host: must be a group of settings, is empty"],
    ["host.address", undefined, "host.address: is missing"],
    ["host.address", "example.org", `host.address: ${addressRule}`],
    ["host.address", "ssh://example.org", `host.address: ${addressRule}`],
    ["host.address", "ssh://a@-oProxyCommand=x", `host.address: ${addressRule}`],
    ["host.address", "ssh://a@b:0", `host.address: ${addressRule}`],
    [
      "host.hostKey",
      undefined,
      "host.hostKey: is needed with ssh: the server must prove who it is. Get it with: ssh-keyscan -t ed25519 " +
        "-p 2222 example.org and compare it with what the server itself shows: " +
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    ],
    ["host.hostKey", "AAAA", `host.hostKey: ${keyRule}`],
    ["host.hostKey", "example.org ssh-ed25519 AAAA", `host.hostKey: ${keyRule}`],
    ["host.hostKey", "ssh-ed25519 AAAA root@example.org", `host.hostKey: ${keyRule}`],
    ["host.hostKey", "ssh-%d AAAA", `host.hostKey: ${keyRule}`],
    [
      "host.identityFile",
      "/home/me/.ssh/id",
      "host.identityFile: must begin with ~/ or be ${NAME} (an environment variable), without spaces: it must fit every deployer",
    ],
    ["host.memory", "1024", 'host.memory: must be 6-1048576 MiB, is the text "1024"'],
    ["host.stateDir", "var/lib", "host.stateDir: must be an absolute path of letters, digits and . _ -"],
    [
      "host.stateDir",
      "/srv/my files",
      "host.stateDir: must be an absolute path of letters, digits and . _ -",
    ],
    ["host.platform", "arm64", "host.platform: must be such as linux/amd64"],
    ["host.memroy", 1024, "host.memroy: is not a setting: did you mean memory?"],
    ["host.color", "red", `host.color: is not a setting; ${known}`],
    ["sevices", {}, "sevices: is not a setting: did you mean services?"],
    ["domain", undefined, "domain: is missing"],
    [
      "domain",
      "https://example.org",
      "domain: must be a host name such as crm.example.org, or a list of them",
    ],
    ["domain", "a b", "domain: must be a host name such as crm.example.org, or a list of them"],
    ["domain", "-a.org", "domain: must be a host name such as crm.example.org, or a list of them"],
    ["domain", [], "domain: must not be empty"],
    ["http.port", 70000, "http.port: must be 1-65535, is 70000"],
    ["http.address", "1.2.3.4.5", "http.address: must be an IP address, or a list of them"],
    ["tls.port", 80, "tls.port: must differ from http.port, both are 80"],
    ["tls.folder", "etc", "tls.folder: must be an absolute path on the host"],
    ["tls.folder", "/etc/$x", "tls.folder: must be an absolute path on the host"],
    ["tls.key", "a; include /etc/passwd", "tls.key: must be a file's name, relative to tls.folder"],
    ["proxy.image", "nginx", "proxy.image: must name a version, such as nginx:1.2.3"],
    [
      "proxy.trust",
      ["10.0.0.0/33"],
      "proxy.trust[0]: must be an IP address, or a network such as 10.0.0.0/8",
    ],
    [
      "proxy.trust",
      ["10.0.0.1; evil"],
      "proxy.trust[0]: must be an IP address, or a network such as 10.0.0.0/8",
    ],
    ["proxy.timeout", 0, "proxy.timeout: must be 1-3600 seconds, is 0"],
    ["strategy", "canary", "strategy: must be rolling"],
    ["baseRefresh", 20261123, ""],
    ["identityKey", "short", "identityKey: must have at least 32 characters"],
    [
      "identityKey",
      undefined,
      "identityKey: is missing; services with secrets need it. Set it once: " +
        "openssl rand -hex 32 | pulumi config set --secret identityKey",
    ],
    ["smoke", { path: "/" }, "smoke: must be a list, is a group of settings"],
    [
      "smoke",
      [{ path: "x" }, 5],
      "smoke[0].path: must be a path that begins with / and has no spaces or quotes",
      "smoke[1]: must be a group of settings, is 5",
    ],
    ["smoke", [{ path: "/", status: 99 }], "smoke[0].status: must be 100-599, is 99"],
    ["smoke", [{ path: "/", contains: "a\nb" }], "smoke[0].contains: must be one line"],
    [
      "smoke",
      [{ path: "/", host: "a\nlabel x" }],
      "smoke[0].host: must be a host name such as crm.example.org",
    ],
    [
      "database.version",
      "17",
      'database.version: must be 13-99 (PostgreSQL\'s major version), is the text "17"',
    ],
    ["database.memory", undefined, "database.memory: is missing"],
    ["database.name", "My DB", "database.name: must be a PostgreSQL name: 1-63 characters a-z, 0-9 and _"],
    ["database.volume", "/data", "database.volume: must be the name of a Docker volume"],
    ["database.settings", { "a b": "1" }, 'database.settings["a b"]: must be a PostgreSQL setting'],
    ["database", undefined, "services.web.needs: database is not configured"],
    ["services", {}, "services: must have at least one service"],
    ["services.My_App", worker, `services.My_App: ${nameRule}`],
    ["services.database", worker, `services.database: ${reserved}`],
    ["services.constructor", worker, `services.constructor: ${reserved}`],
    ["services.a", 5, "services.a: must be a group of settings, is 5"],
    ["services.web.env", { NAME: "e\u0301" }, `services.web.env.NAME: ${COMPOSED}`],
    ["services.web.secrets", { TOKEN: "pa\u0301ss" }, `services.web.secrets.TOKEN: ${COMPOSED}`],
    ["services.web.command", ["say", "e\u0301"], `services.web.command[1]: ${COMPOSED}`],
    ["database.settings", { a: "e\u0301" }, `database.settings.a: ${COMPOSED}`],
    ["services.web.port", 99999, "services.web.port: must be 1-65535, is 99999"],
    ["services.web.port", 1.5, "services.web.port: must be 1-65535, is 1.5"],
    ["services.web.port", "3000", 'services.web.port: must be 1-65535, is the text "3000"'],
    ["services.web.port", [], "services.web.port: must be 1-65535, is a list"],
    [
      "services.web.port",
      undefined,
      "services.web.port: is needed to ask health",
      "services.web.port: is needed for a route",
    ],
    ["services.web.memory", 5, "services.web.memory: must be 6-1048576 MiB, is 5"],
    ["services.web.memory", "128m", "services.web.memory: must be 6-1048576 MiB, is a text"],
    ["services.web.route", "api", `services.web.route: ${routes}`],
    ["services.web.route", "/a;b", `services.web.route: ${routes}`],
    ["services.web.route", "/a b{", `services.web.route: ${routes}`],
    ["services.web.route", ["/", "/"], 'services.web.route: "/" goes to web already'],
    [
      "services.web.health",
      "health",
      "services.web.health: must be a path that begins with / and has no spaces or quotes",
    ],
    [
      "services.web.health",
      undefined,
      "services.web.health: is needed for a route: requests go only to what answered it",
    ],
    [
      "services.web.healthCommand",
      "true",
      "services.web.healthCommand: give either health (a path) or healthCommand",
    ],
    [
      "services.worker.port",
      6379,
      "services.worker.health: give health (a path) or healthCommand: a release is only as good as its check",
    ],
    [
      "services.web.source",
      "/srv/web",
      "services.web.source: must be relative to the project: it must fit every deployer",
    ],
    [
      "services.web.source",
      "~/web",
      "services.web.source: must be relative to the project: it must fit every deployer",
    ],
    ["services.web.source", "", "services.web.source: must not be empty"],
    [
      "services.web.source",
      undefined,
      "services.web.source: give either source (a folder to build) or image (one made elsewhere)",
    ],
    [
      "services.web.image",
      "web:1",
      "services.web.source: give either source (a folder to build) or image (one made elsewhere)",
    ],
    ["services.worker.image", "worker", "services.worker.image: must name a version, such as worker:1.2.3"],
    [
      "services.worker.image",
      "a.org:5000/w",
      "services.worker.image: must name a version, such as a.org:5000/w:1.2.3",
    ],
    ["services.worker.image", "a\nb:1", "services.worker.image: must be an image's name"],
    [
      "services.web.env",
      { "A-B": "1" },
      "services.web.env.A-B: must be a name of letters, digits and _, not beginning with a digit",
    ],
    ["services.web.env", { A: { B: 1 } }, "services.web.env.A: must be a text, a number or true/false"],
    [
      "services.web.env",
      { A: "x\0y" },
      "services.web.env.A: must not contain a NUL character: an environment cannot carry it",
    ],
    [
      "services.web.env",
      { A: 12345678901234567000 },
      "services.web.env.A: is too long to be kept exactly as a number: put it in quotes",
    ],
    ["services.web.env", null, "services.web.env: must be a group of settings, is empty"],
    ["services.web.env.TOKEN", "x", "services.web.secrets: TOKEN stands in env too: keep one"],
    ["services.web.needs", "database", "services.web.needs: must be a list, is a text"],
    [
      "services.web.needs",
      ["databse"],
      'services.web.needs: there is no service "databse"; known are web, worker, database',
    ],
    ["services.web.needs", ["web"], "services: need each other in a circle: web -> web"],
    ["services.web.needs", ["worker"], "services: need each other in a circle: web -> worker -> web"],
    [
      "services.web.migrate",
      "node x",
      "services.web.migrate: must be a command as a list, such as [node, migrate.js]",
    ],
    [
      "services.web.migrate",
      [],
      "services.web.migrate: must be a command as a list, such as [node, migrate.js]",
    ],
    ["services.web.order", "first", "services.web.order: must be auto, start-first or stop-first"],
    [
      "services.web.order",
      "start-first",
      "services.web.order: start-first lets two versions write to a volume at once: say shareable on it, or use stop-first",
    ],
    [
      "services.web.volumes",
      [{ nam: "a", path: "/a" }],
      "services.web.volumes[0].name: is missing",
      "services.web.volumes[0].nam: is not a setting: did you mean name?",
    ],
    [
      "services.web.volumes",
      [{ name: "a", path: "a" }],
      "services.web.volumes[0].path: must be an absolute path in the container",
    ],
    ["services.web.volumes", [{ name: "database", path: "/a" }], `services.web.volumes[0].name: ${reserved}`],
    [
      "services.worker.volumes",
      [{ name: "uploads", path: "/u", shareable: true }],
      'services.worker.volumes: "uploads" is used by web too: say shareable on both, or rename it',
    ],
    [
      "services.worker.volumes",
      [
        { name: "a", path: "/a" },
        { name: "a", path: "/b" },
      ],
      'services.worker.volumes: "a" is used twice: say shareable on both, or rename it',
    ],
    [
      "services.web.security.user",
      "root",
      "services.web.security.user: must be a numeric user or user:group, or auto, or image",
    ],
    [
      "services.web.security.capabilities",
      ["net_raw"],
      "services.web.security.capabilities[0]: must be a capability such as NET_BIND_SERVICE",
    ],
    [
      "services.web.security.readOnly",
      "no",
      "services.web.security.readOnly: must be true or false, is a text",
    ],
    [
      "services.web.source",
      "<the web's folder>",
      "services.web.source: is still a placeholder: <the web's folder>",
    ],
    ["host.hostKey", "<the key>", "host.hostKey: is still a placeholder: <the key>"],
    ["domain", "<your domain>", "domain: is still a placeholder: <your domain>"],
    ["domain", ["<the first>", "b.org"], "domain[0]: is still a placeholder: <the first>"],
    [
      "services.web.secrets.TOKEN",
      "<the bot's token>",
      "services.web.secrets.TOKEN: is still a placeholder: <the bot's token>",
    ],
    [
      "services.web.env",
      JSON.parse('{"__proto__": "x"}'),
      "services.web.env.__proto__: cannot have this name",
    ],
  ])("%s: %j", (path, value, ...lines) => {
    expect(problemsOf(change(WEB, path, value))).toEqual(lines.filter((line) => line !== ""));
  });

  it("is told of as a whole: fields, unknown keys, placeholders and what only the whole shows", () => {
    const wrong = {
      hosts: {},
      host: { address: "ssh://root@example.org" },
      domain: "<your domain>",
      services: {
        web: { source: "../web", port: "3000", rout: "/", memory: 64, needs: ["database", "cache"] },
        worker: { memory: 64, needs: ["web"], secrets: { TOKEN: "abc" } },
        broken: "image",
      },
    };
    expect(problemsOf(wrong)).toEqual([
      "domain: is still a placeholder: <your domain>",
      'services.web.port: must be 1-65535, is the text "3000"',
      "services.web.rout: is not a setting: did you mean route?",
      "services.broken: must be a group of settings, is a text",
      "hosts: is not a setting: did you mean host?",
      "host.hostKey: is needed with ssh: the server must prove who it is. Get it with: ssh-keyscan -t ed25519 " +
        "-p 22 example.org and compare it with what the server itself shows: " +
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
      "services.web.health: give health (a path) or healthCommand: a release is only as good as its check",
      "services.worker.source: give either source (a folder to build) or image (one made elsewhere)",
      "services.web.needs: database is not configured",
      'services.web.needs: there is no service "cache"; known are web, worker, broken',
      "identityKey: is missing; services with secrets need it. Set it once: " +
        "openssl rand -hex 32 | pulumi config set --secret identityKey",
    ]);
  });

  it("is told of in words for people", () => {
    expect(new ConfigError(["a: is missing"]).message).toBe(
      "1 thing is wrong in the stack's config; nothing was changed\n  a: is missing",
    );
    expect(new ConfigError(["a: is missing", "b: is missing"]).message).toBe(
      "2 things are wrong in the stack's config; nothing was changed\n  a: is missing\n  b: is missing",
    );
  });

  it("never shows a secret", () => {
    const secret = "hunter2-hunter2";
    const wrong = change(WEB, "services.web.secrets", { TOKEN: `${secret}\0`, "1": secret, L: [secret] });
    const shown = problemsOf(change(wrong, "identityKey", secret)).join("\n");
    expect(shown).toContain("services.web.secrets.TOKEN");
    expect(shown).not.toContain(secret);
  });
});

describe("any value at any key", () => {
  const key = fc.oneof(
    fc.constantFrom(...Object.keys(schema.shape), "constructor", "__proto__", "toString", "hasOwnProperty"),
    fc.string(),
  );

  /** Every line names the key it speaks of, and is one line. */
  function expectNamed(problems: readonly string[], keys: readonly string[]): void {
    const starts = keys.map((one) => pathText([one]));
    for (const problem of problems) {
      expect(problem).toSatisfy((line: string) => starts.some((start) => line.startsWith(start)));
      expect(problem).toMatch(/^.+?: ./);
      expect(problem).not.toContain("\n");
    }
  }
  const required = ["host", "domain", "services", "identityKey"];

  it("is accepted or told of by its name, never a crash", () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (values) => {
        expectNamed(problemsOf(values), [...Object.keys(values), ...required]);
      }),
      { numRuns: 150 },
    );
  });

  it("the same where Pulumi hands over a text that is no JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.string()), (raw) => {
        const call = () => readConfig(raw);
        expect(call).toThrow(ConfigError);
      }),
    );
  });

  it("the same for every leaf of a whole config, and nothing else is blamed", () => {
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === "object" && value !== null
        ? [path, ...Object.entries(value).flatMap(([one, inner]) => leaves(inner, `${path}.${one}`))]
        : [path];
    const paths = Object.entries(WEB).flatMap(([one, value]) => leaves(value, one));
    const strange = fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" }), fc.double());
    fc.assert(
      fc.property(fc.constantFrom(...paths), strange, (path, value) => {
        const [top = ""] = path.split(".");
        // A database or a service that is gone is missed elsewhere.
        expectNamed(problemsOf(change(WEB, path, value)), [top, "services", "identityKey", "tls"]);
      }),
      { numRuns: 600 },
    );
  });
});

describe("what reaches a container", () => {
  const text = fc
    .string({ unit: "binary" })
    .filter((one) => !one.includes("\0") && !/^<the /.test(one) && one === one.normalize("NFC"));
  const name = fc
    .string({ unit: fc.constantFrom(..."ABCXYZabcxyz_019".split("")), minLength: 1 })
    .filter((one) => /^[A-Za-z_]/.test(one) && one !== "__proto__");

  it("is each value of env and secrets, byte for byte, as text", () => {
    const value = fc.oneof(
      text,
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.dictionary(name, text), (env, secrets) => {
        const plain = Object.fromEntries(Object.entries(env).filter(([one]) => !Object.hasOwn(secrets, one)));
        const values = change(change(WEB, "services.web.env", plain), "services.web.secrets", secrets);
        const spec = serviceSpec("web", read(values), "web:1", { project: "p", stack: "s" });
        for (const [one, given] of Object.entries(plain)) {
          expect(spec.env[one]).toEqual({ plain: String(given) });
        }
        for (const [one, given] of Object.entries(secrets)) expect(spec.env[one]).toEqual({ secret: given });
      }),
      { numRuns: 80 },
    );
  });

  it("is each word of a command", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (command) => {
        fc.pre(!command.some((one) => one === "" || /^<.+>$/.test(one)));
        const config = read(change(WEB, "services.web.command", command));
        expect(serviceSpec("web", config, "web:1", { project: "p", stack: "s" }).command).toEqual(command);
      }),
    );
  });
});

it("an empty argument of a command is refused: Docker's provider takes none", () => {
  expect(problemsOf(change(WEB, "services.web.command", ["sh", "-c", ""]))).toEqual([
    "services.web.command[2]: must not be empty: such an argument cannot be passed on",
  ]);
});

describe("suggestions", () => {
  it.each<[wrong: string, said: string]>([
    ["helth", ": did you mean health?"],
    ["prot", ": did you mean port?"],
    ["environment", "; known are health, port"],
    ["x", "; known are health, port"],
  ])("%s", (wrong, said) => {
    expect(suggestion(wrong, ["port", "health"])).toBe(said);
  });

  it("are none where nothing is known", () => {
    expect(suggestion("x", [])).toBe("");
  });
});

describe("a circle of needs", () => {
  it("is shown from where it closes", () => {
    const needs = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", []],
      ["d", ["b"]],
    ]);
    expect(findCycle(needs)).toEqual(["b", "d", "b"]);
  });

  it("is found exactly when there is one", () => {
    const names = ["a", "b", "c", "d", "e"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names))), (edges) => {
        const needs = new Map(
          names.map((name) => [name, edges.filter(([from]) => from === name).map(([, to]) => to)]),
        );
        // Whatever needs nothing that is left goes, until only circles are left.
        let left = names;
        for (;;) {
          const next = left.filter((name) => needs.get(name)?.some((need) => left.includes(need)));
          if (next.length === left.length) break;
          left = next;
        }
        const cycle = findCycle(needs);
        expect(cycle !== undefined).toBe(left.length > 0);
        for (const [i, name] of (cycle ?? []).entries()) {
          if (i > 0) expect(needs.get(cycle?.[i - 1] ?? "")).toContain(name);
        }
        expect(cycle?.at(0)).toBe(cycle?.at(-1));
      }),
    );
  });
});

describe("the stack files of this repository", () => {
  it("local: is valid as it stands", () => {
    expect(problemsOf(stackFile("Pulumi.local.yaml"))).toEqual([]);
  });

  it("prod: what is left to set, and nothing else", () => {
    expect(problemsOf(stackFile("Pulumi.prod.yaml")).map((line) => line.replace(/<.*/, "<"))).toEqual([
      "host.hostKey: is still a placeholder: <",
      "tls.folder: is still a placeholder: <",
      "services.backend.source: is still a placeholder: <",
      "services.frontend.source: is still a placeholder: <",
    ]);
  });

  it("prod: is valid once it is set, and says what the task says", () => {
    const config = read(completedProd({ backend: "../crm/backend", frontend: "../crm/frontend" }));
    expect(config).toMatchObject({
      host: { address: "ssh://root@crm.artsvao.ru", memory: 1024 },
      domain: ["crm.artsvao.ru"],
      database: { version: 15 },
      services: { backend: { port: 3000, health: "/api/health" }, frontend: { port: 3001 } },
    });
  });

  it("Pulumi.yaml describes settings that exist", () => {
    const { config } = parse(readFileSync(join(__dirname, "../../../Pulumi.yaml"), "utf8")) as {
      config: Record<string, unknown>;
    };
    const own = Object.keys(config).filter((key) => !key.includes(":"));
    expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(own));
    expect(readConfig(asPulumi(LEAST)).http).toEqual({ port: 80, address: ["0.0.0.0"] });
  });
});
