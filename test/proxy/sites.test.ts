import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteConfig } from "../../plan/site/nginx";
import { routesScript } from "../../host/bundle";
import { proxySpec } from "../../plan/wanted/container";
import { run } from "../e2e/lib/command";
import { PROXY_IMAGE } from "./lib/stand";
import { change, LEAST, read, type Values } from "../plan/support/config";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const SITES = 150;
/** Where the configs say that the certificate is. */
const CERTIFICATES = "/etc/certs";
const port = fc.constantFrom(80, 443, 3000, 8079, 8080, 8081, 61080, 61443);
const memory = fc.constant(64);

const worker = fc.record({ image: fc.constant("worker:1"), memory });
const asked = fc.record({ image: fc.constant("cache:1"), port, healthCommand: fc.constant("ping"), memory });
/** Some have no route: only other services reach them. */
const http = fc.record({ image: fc.constant("web:1"), port, health: fc.constant("/health"), memory });
const routes = fc.uniqueArray(
  fc.constantFrom("/", "/api/", "/api", "/a-b_c.d~e/", "/static/@x", "/=+,:", "/.well-known/", "/deep/er/"),
  { maxLength: 5 },
);
const hostName = fc.constantFrom(
  "example.org",
  "www.example.org",
  "a.b.c.example.org",
  `${"x".repeat(60)}.example`,
  "localhost",
  "10.0.0.1",
);

/** Every shape that a config may have, as far as nginx is told of it. */
const site: fc.Arbitrary<Values> = fc
  .record({
    services: fc.dictionary(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/),
      fc.oneof(worker, asked, http),
      {
        minKeys: 1,
        maxKeys: 5,
      },
    ),
    routes,
    domain: fc.uniqueArray(hostName, { minLength: 1, maxLength: 3 }),
    tls: fc.option(fc.record({ port: fc.constantFrom(443, 8443), hsts: fc.boolean() }), { nil: undefined }),
    redirects: fc.dictionary(fc.constantFrom("old.example.org", "older.example.org"), hostName, {
      maxKeys: 2,
    }),
    own: fc.array(
      fc.record(
        {
          host: fc.subarray(["api.example.org", "*.example.org"], { minLength: 1 }),
          headers: fc.dictionary(fc.constantFrom("X-A", "Cache-Control"), fc.constantFrom("a", `"'\\; {}#`)),
          maxBody: fc.constantFrom(1, 100),
          timeout: fc.constantFrom(1, 100),
          allow: fc.subarray(["10.0.0.0/8", "2001:db8::/32"]),
          basicAuth: fc.dictionary(fc.constantFrom("a", "b@c"), fc.constant(`pass "word" $1`)),
        },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
    proxy: fc.record(
      {
        maxBody: fc.constantFrom(1, 16, 10_240),
        timeout: fc.constantFrom(1, 60, 3600),
        memory: fc.constantFrom(16, 34, 64, 4096),
        accessLog: fc.boolean(),
        trust: fc.subarray(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ services, routes: paths, domain, tls, proxy, redirects, own }) => {
    const names = Object.keys(services).filter((name) => "health" in (services[name] ?? {}));
    const routed = paths.reduce<Values>((all, path, i) => {
      const name = names[i % Math.max(1, names.length)];
      if (name === undefined) return all;
      const before = ((all[name] as Values | undefined)?.route ?? []) as string[];
      return change(all, `${name}.route`, [...before, path]);
    }, services);
    const secure = tls && { ...tls, folder: CERTIFICATES, certificate: "site.pem", key: "site.key" };
    const settled = Object.entries(routed).filter(([, one]) => "route" in (one as Values));
    const withOwn = settled.reduce<Values>((all, [name, one], i) => {
      const [first = "/"] = (one as Values).route as string[];
      const more = own[i] ?? {};
      return {
        ...all,
        [name]: { ...(one as Values), ...more, ...(i === 0 ? { cache: [`${first}x-1/`] } : {}) },
      };
    }, routed);
    const rest = { redirects, identityKey: "k".repeat(32), ...(secure ? { tls: secure } : {}) };
    return { ...LEAST, services: withOwn, domain, proxy, ...rest };
  })
  // A name that the program has itself.
  .filter(
    ({ services }) => !["database", "proxy", "constructor"].some((name) => Object.hasOwn(services, name)),
  );

describe("the site of every legal config", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "proxy-test-sites-"));
    const certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    await run("sh", [
      "-c",
      `cd "$1" && ${certificate} -keyout site.key -out site.pem -subj /CN=site.example 2>&1 && chmod -R a+rX .`,
      "sh",
      folder,
    ]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("is taken by nginx", async () => {
    const workersOnly: Values = { ...LEAST, services: { worker: { image: "worker:1", memory: 64 } } };
    const unrouted: Values = {
      ...LEAST,
      services: { api: { image: "api:1", port: 80, health: "/", memory: 64 } },
    };
    const configs = [workersOnly, unrouted, ...fc.sample(site, SITES)].map(read);
    const script = routesScript();
    await writeFile(join(folder, "routes.js"), script);
    const texts = configs.map((config) => siteConfig(config, script));
    for (const [i, text] of texts.entries()) await writeFile(join(folder, `${i}.conf`), text);
    const [first] = configs;
    if (first === undefined) throw new Error("no config");
    const { user, tmpfs, image: usual } = proxySpec(first, { project: "a", stack: "b" });
    const image = PROXY_IMAGE ?? usual;
    const refused = await run("docker", [
      ...["run", "--rm", "--network", "none", "--user", user, "--read-only", "--cap-drop", "ALL"],
      ...tmpfs.flatMap((path) => ["--tmpfs", path]),
      ...[
        "-v",
        `${folder}:${CERTIFICATES}:ro`,
        "-v",
        `${folder}:/etc/nginx/state:ro`,
        "--entrypoint",
        "sh",
        image,
      ],
      "-c",
      `for file in ${CERTIFICATES}/*.conf; do nginx -t -q -c "$file" 2>&1 | grep -v warn | sed "s|^|\${file##*/} |"; done`,
    ]);
    const [told = ""] = refused.split("\n");
    const number = Number(/^(\d+)\.conf/.exec(told)?.[1] ?? -1);
    expect(told === "" ? "" : `${told}\n${texts[number] ?? ""}`).toBe("");
  });
});
