import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { schema } from "../../../plan/config/schema";
import { routesFile, siteConfig, siteDigest } from "../../../plan/site/nginx";
import { change, LEAST, problemsOf, read, type Values } from "../support/config";
import { type Directive, find, findAll, parseNginx } from "../support/nginx";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const SHOP: Values = {
  ...LEAST,
  domain: ["example.org", "www.example.org"],
  services: {
    web: { image: "web:1", port: 3001, route: "/", health: "/health", memory: 64 },
    api: { image: "api:1", port: 3000, route: ["/api/", "/hooks"], health: "/health", memory: 64 },
    internal: { image: "internal:1", port: 4000, health: "/health", memory: 64 },
    cache: { image: "cache:1", port: 6379, healthCommand: "ping", memory: 64 },
    worker: { image: "worker:1", memory: 64 },
  },
};
const TLS: Values = {
  ...SHOP,
  tls: { folder: "/etc/certs", certificate: "live/site.pem", key: "live/site.key", port: 8443 },
};

const textOf = (values: Values, script = "script"): string => siteConfig(read(values), script);
const siteOf = (values: Values): readonly Directive[] => parseNginx(textOf(values));
const httpOf = (values: Values): readonly Directive[] => find(siteOf(values), "http")?.block ?? [];
const serversOf = (values: Values): (readonly Directive[])[] =>
  findAll(httpOf(values), "server").map(({ block }) => block ?? []);

/** Each server as its listener and names, and where each of its public paths goes. */
function outline(values: Values): string[] {
  return serversOf(values).map((server) => {
    const listen = findAll(server, "listen").map(({ words }) => words.slice(1).join(" "));
    const names = find(server, "server_name")?.words.slice(1) ?? [];
    const paths = findAll(server, "location")
      .filter(({ words }) => !words[1]?.startsWith("@") && words[2] !== "/.deploy/hold")
      .map(({ words, block = [] }) => {
        const to = find(block, "set", "$service")?.words[2];
        const other = (find(block, "return") ?? find(block, "root"))?.words.slice(0, 2).join(" ");
        return `${words.slice(1).join(" ")} -> ${to ?? other ?? "?"}`;
      });
    const answer = find(server, "return")?.words.slice(1, 2) ?? [];
    return `${listen.join(" and ")} | ${names.join(" ")} | ${[...paths, ...answer].join(", ")}`;
  });
}

describe("the site of several host names", () => {
  const HOSTS = change(
    change(SHOP, "services.api.host", ["api.example.org", "*.api.example.org"]),
    "redirects",
    { "old.example.org": "example.org" },
  );

  it("is a server for each set of services, at each door", () => {
    const shop = "/ -> web";
    const api = "/api/ -> api, /hooks -> api, / -> return 404";
    expect(outline(HOSTS).slice(1, 9)).toEqual([
      "61080 default_server |  | 404",
      "61080 | old.example.org | / -> return 301",
      `61080 | example.org www.example.org | ${shop}`,
      `61080 | api.example.org *.api.example.org | ${api}`,
      `unix:/tmp/candidate.sock | example.org www.example.org | ${shop}`,
      `unix:/tmp/candidate.sock | api.example.org *.api.example.org | ${api}`,
      `unix:/tmp/live.sock | example.org www.example.org | ${shop}`,
      `unix:/tmp/live.sock | api.example.org *.api.example.org | ${api}`,
    ]);
  });

  it("sends on to https at once, and lets certbot answer for each name", () => {
    const secure = outline({ ...HOSTS, tls: TLS.tls });
    expect(secure.filter((one) => one.includes("old.example.org"))).toEqual([
      "61080 | old.example.org | /.well-known/acme-challenge/ -> root /etc/certs/acme, / -> return 301",
      "61443 ssl http2 | old.example.org | / -> return 301",
    ]);
    expect(textOf({ ...HOSTS, tls: TLS.tls })).toContain("return 301 https://example.org:8443$request_uri;");
    expect(secure).toContain(
      "61080 | example.org www.example.org api.example.org *.api.example.org | " +
        "/.well-known/acme-challenge/ -> root /etc/certs/acme, / -> return 308",
    );
  });

  it("says to come by https only where that is asked for", () => {
    const header = 'add_header Strict-Transport-Security "max-age=31536000" always;';
    const text = textOf(change(TLS, "tls.hsts", true));
    // Its server, and the pages of errors, which have headers of their own.
    expect(text.split(header).length - 1).toBe(5);
    expect(textOf(TLS)).not.toContain("Strict-Transport-Security");
  });

  it.each([
    ["services.api.host", "example.org", []],
    [
      "services.api",
      { image: "api:1", port: 3000, health: "/", memory: 64, host: "api.example.org" },
      ["services.api.route: is needed with host, such as /"],
    ],
    ["services.api.route", ["/"], ['services.web.route: "/" goes to api already']],
    [
      "redirects",
      { "www.example.org": "example.org" },
      [
        "redirects.www.example.org: is served itself, as a domain or as the host of a service: keep one of them",
      ],
    ],
    [
      "services.api.cache",
      ["/elsewhere/"],
      ['services.api.cache: "/elsewhere/" is under none of its routes'],
    ],
    [
      "services.api.cache",
      ["/api/"],
      ['services.api.cache: "/api/" is a whole route: name the folder of the files that never change'],
    ],
    [
      "services.internal.basicAuth",
      { anna: "open sesame" },
      [
        "services.internal.basicAuth: is for visitors, and it has no route",
        "identityKey: is missing; services with secrets need it. Set it once: openssl rand -hex 32 | pulumi config set --secret identityKey",
      ],
    ],
    [
      "services.web.headers",
      { Connection: "close" },
      [
        "services.web.headers.Connection: must not be a header that belongs to the response's body or connection",
      ],
    ],
    [
      "services.web.headers",
      { "X-Price": "$5" },
      ["services.web.headers.X-Price: must not contain $: nginx has no way to write it"],
    ],
    [
      "services.web.host",
      "*.*.example.org",
      ["services.web.host: must be a host name such as api.example.org or *.example.org, or a list of them"],
    ],
  ])("%s: %j", (path, value, problems) => {
    const order = change(SHOP, "services", {
      api: (SHOP.services as Values).api,
      ...(SHOP.services as Values),
    });
    expect(problemsOf(change(order, path, value))).toEqual(problems);
  });
});

describe("the site", () => {
  it("is one server for visitors, one for a candidate, one for itself, and one for each service asked by others", () => {
    const site = "/api/ -> api, /hooks -> api, / -> web";
    expect(outline(SHOP)).toEqual([
      "unix:/tmp/ready.sock |  | = /ready -> return 200, = /site -> return 200",
      "61080 default_server |  | 404",
      `61080 | example.org www.example.org | ${site}`,
      `unix:/tmp/candidate.sock | example.org www.example.org | ${site}`,
      `unix:/tmp/live.sock | example.org www.example.org | ${site}`,
      "3000 and unix:/tmp/service-api.sock | api | / -> api",
      "4000 and unix:/tmp/service-internal.sock | internal | / -> internal",
      "3001 and unix:/tmp/service-web.sock | web | / -> web",
    ]);
  });

  it("with tls leads visitors there, and leaves the proof of a certificate's owner reachable", () => {
    const site = "/api/ -> api, /hooks -> api, / -> web";
    expect(outline(TLS).slice(1, 4)).toEqual([
      "61080 default_server and 61443 ssl http2 default_server |  | 404",
      "61080 | example.org www.example.org | /.well-known/acme-challenge/ -> root /etc/certs/acme, / -> return 308",
      `61443 ssl http2 | example.org www.example.org | ${site}`,
    ]);
    const [, refuse = [], lead = [], visitors = []] = serversOf(TLS);
    for (const server of [refuse, visitors]) {
      expect(find(server, "ssl_certificate")?.words[1]).toBe("/etc/certs/live/site.pem");
      expect(find(server, "ssl_certificate_key")?.words[1]).toBe("/etc/certs/live/site.key");
    }
    expect(find(find(lead, "location", "/")?.block ?? [], "return")?.words[2]).toBe(
      "https://$host:8443$request_uri",
    );
  });

  it("leads to the usual port without naming it", () => {
    const [, , lead = []] = serversOf(change(TLS, "tls.port", 443));
    expect(find(find(lead, "location", "/")?.block ?? [], "return")?.words[2]).toBe(
      "https://$host$request_uri",
    );
  });

  it("says what is not served where no service has /", () => {
    const [, , visitors = []] = serversOf(change(SHOP, "services.web.route", "/app/"));
    expect(find(find(visitors, "location", "/")?.block ?? [], "return")?.words.slice(1)).toEqual([
      "404",
      "nothing is served here\\n",
    ]);
  });

  it("asks for the target once a request, holds or refuses by it, and finds containers by Docker's name server", () => {
    expect(find(httpOf(SHOP), "resolver")?.words.slice(1)).toEqual(["127.0.0.11", "valid=1s", "ipv6=off"]);
    const [, , visitors = [], candidate = []] = serversOf(SHOP);
    const location = find(visitors, "location", "/api/")?.block ?? [];
    expect(
      location.map(({ words, block }) => [...words, ...(block ?? []).flatMap((one) => one.words)].join(" ")),
    ).toEqual([
      "set $service api",
      "set $target $live",
      "set $held 0",
      "if ($target = hold) return 598",
      "if ($target =  ) return 597",
      "if (-f /etc/nginx/state/closing) return 596",
      "proxy_pass http://$target",
    ]);
    expect(find(find(candidate, "location", "/api/")?.block ?? [], "set", "$target")?.words[2]).toBe(
      "$candidate",
    );
    expect(findAll(visitors, "error_page").map(({ words }) => words.slice(1).join(" "))).toEqual([
      "413 = @too_large",
      "502 = @failed",
      "504 = @late",
      "597 = @unavailable",
      "596 = @closing",
      "598 = @hold",
    ]);
    const unavailable = find(visitors, "location", "@unavailable")?.block ?? [];
    expect(find(unavailable, "return")?.words[1]).toBe("503");
    expect(find(unavailable, "add_header", "Retry-After")?.words.slice(2)).toEqual(["5", "always"]);
  });

  it("lets as many requests wait as it has memory for, visitors' and services' together", () => {
    const limits = (values: Values, memory: number) =>
      serversOf(change(values, "proxy.memory", memory)).flatMap((server) =>
        findAll(find(server, "location", "@hold")?.block ?? [], "limit_conn").map(({ words }) => words[2]),
      );
    expect(limits(SHOP, 64)).toEqual(Array(6).fill("249"));
    expect(limits(TLS, 64)).toEqual(Array(6).fill("218"));
    expect(new Set(limits(SHOP, 128))).toEqual(new Set(["819"]));
    expect(new Set(limits(SHOP, 6))).toEqual(new Set(["1"]));
    expect(find(httpOf(SHOP), "limit_conn_status")?.words[1]).toBe("597");
  });

  it("hands on who asks, for websockets too, and keeps within the limits of the config", () => {
    const http = httpOf(change(change(SHOP, "proxy.maxBody", 100), "proxy.timeout", 300));
    const headers = findAll(http, "proxy_set_header").map(({ words }) => words.slice(1).join(": "));
    expect(headers).toEqual([
      "Host: $http_host",
      "X-Real-IP: $remote_addr",
      "X-Forwarded-For: $remote_addr",
      "X-Forwarded-Proto: $forwarded_proto",
      "X-Forwarded-Host: $forwarded_host",
      "X-Forwarded-Port: $forwarded_port",
      "Forwarded: ",
      "Upgrade: $websocket",
      "Connection: $upgrade_or_close",
    ]);
    expect(find(http, "client_max_body_size")?.words[1]).toBe("100m");
    expect(find(http, "proxy_read_timeout")?.words[1]).toBe("300s");
    expect(find(http, "proxy_send_timeout")?.words[1]).toBe("300s");
    expect(find(http, "server_tokens")?.words[1]).toBe("off");
  });

  it("believes no visitor, and of proxies in front only those that are named", () => {
    const trusting = (...trust: string[]) => {
      const http = httpOf(change(SHOP, "proxy.trust", trust));
      return [findAll(http, "set_real_ip_from"), find(http, "geo")?.block ?? []].map((found) =>
        found.map(({ words }) => words.filter((word) => word !== "set_real_ip_from").join(" ")),
      );
    };
    expect(trusting()).toEqual([[], ["default "]]);
    expect(trusting("10.0.0.0/8", "2001:db8::1")).toEqual([
      ["10.0.0.0/8", "2001:db8::1"],
      ["default ", "10.0.0.0/8 proxy", "2001:db8::1 proxy"],
    ]);
    const inside = serversOf(SHOP).filter((server) => find(server, "set", "$trusted") !== undefined);
    expect(inside.map((server) => find(server, "server_name")?.words[1])).toEqual(["api", "internal", "web"]);
  });

  it("tells the address that a visitor sees, with tls or behind other ports, on every door", () => {
    const seen = (values: Values) =>
      serversOf(values)
        .map((server) => [
          find(server, "set", "$public_scheme")?.words[2],
          find(server, "set", "$public_port")?.words[2],
        ])
        .filter(([scheme]) => scheme !== undefined)
        .map((words) => words.join(" "));
    const inside = ["http 3000", "http 4000", "http 3001"];
    expect(seen(change(SHOP, "http", { port: 8080 }))).toEqual([
      ...Array<string>(3).fill("http 8080"),
      ...inside,
    ]);
    expect(seen(TLS)).toEqual([...Array<string>(3).fill("https 8443"), ...inside]);
  });

  it("keeps nothing of what goes through, and sends nothing twice", () => {
    const http = httpOf(SHOP);
    for (const name of ["proxy_buffering", "proxy_request_buffering", "proxy_next_upstream"])
      expect(find(http, name)?.words[1]).toBe("off");
  });

  it("runs as any user on a root that is read-only", () => {
    const site = siteOf(SHOP);
    const http = find(site, "http")?.block ?? [];
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) =>
      find(http, `${one}_temp_path`),
    );
    for (const path of [find(site, "pid"), ...paths]) expect(path?.words[1]).toMatch(/^\/tmp\//);
    expect(find(site, "user")).toBeUndefined();
  });
});

describe("the site's name", () => {
  it("stands in the first line and is answered by nginx", () => {
    const text = textOf(SHOP);
    expect(text).toMatch(/^# site [0-9a-f]{12}\n/);
    const [own = []] = serversOf(SHOP);
    expect(find(find(own, "location", "=", "/site")?.block ?? [], "return")?.words).toEqual([
      "return",
      "200",
      // Of two workers with the same site, the newer is told by its process.
      `${siteDigest(text)} $pid`,
    ]);
    expect(siteDigest("load_module x;")).toBe("");
  });

  it("is another for another site or script, and the same for another release of the same services", () => {
    const name = siteDigest(textOf(SHOP));
    expect(siteDigest(textOf(change(SHOP, "services.web.image", "web:2")))).toBe(name);
    expect(siteDigest(textOf(change(SHOP, "services.web.route", "/app/")))).not.toBe(name);
    expect(siteDigest(textOf(SHOP, "another script"))).not.toBe(name);
  });
});

describe("no value of the config means anything to nginx", () => {
  const { tls, services, domain } = schema.shape;
  const files = tls.unwrap().shape;
  const { route, health } = services.valueType.shape;

  /** What a field accepts, of letters of which some might mean something. */
  const accepted = (field: z.ZodType, first = ""): fc.Arbitrary<string> =>
    fc
      .string({
        unit: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(..."aZ09-._/".split("")) },
          { weight: 1, arbitrary: fc.constantFrom(..."~!$&()*+,;=:@%?{}[]#\"'\\ \n\t<>|^`é".split("")) },
        ),
        minLength: 1,
        maxLength: 8,
      })
      .map((value) => first + value)
      .filter((value) => field.safeParse(value).success);

  interface Given {
    readonly domain: string;
    readonly route: string;
    readonly certificate: string;
    readonly key: string;
    readonly folder: string;
    readonly health: string;
  }
  const given: fc.Arbitrary<Given> = fc.record({
    domain: accepted(domain),
    route: accepted(route, "/-"),
    certificate: accepted(files.certificate),
    key: accepted(files.key),
    folder: accepted(files.folder, "/"),
    health: accepted(health, "/"),
  });

  const shapeOf = ({ domain: name, route: path, health: asked, ...rest }: Given): string => {
    const values = change(change(TLS, "domain", name), "tls", rest);
    const site = siteOf(change(change(values, "services.web.route", path), "services.web.health", asked));
    // The site's own name follows from its content.
    return JSON.stringify(site).replace(/"[0-9a-f]{12} \$pid"/g, '"NAME"');
  };

  it("the text has the same shape, with each value as one word where it belongs", () => {
    const benign: Given = {
      domain: "benign.org",
      route: "/benign-route",
      certificate: "benign.pem",
      key: "benign.key",
      folder: "/benign-folder",
      health: "/benign-health",
    };
    const shape = shapeOf(benign);
    expect(shape).not.toContain("benign-health");
    fc.assert(
      fc.property(given, (values) => {
        const expected = Object.entries(benign).reduce(
          (text, [name, value]) => text.replaceAll(String(value), () => values[name as keyof Given]),
          shape,
        );
        expect(shapeOf(values)).toBe(expected);
      }),
      { numRuns: 100 },
    );
  });

  it("not even the place that the site's own name is put into", () => {
    const [, , visitors = []] = serversOf(change(SHOP, "services.web.route", "/@SITE@/"));
    expect(find(visitors, "location", "/@SITE@/")).toBeDefined();
    expect(problemsOf(change(SHOP, "services.web.route", "/%SITE%/"))).toHaveLength(1);
  });
});

describe("routes.json", () => {
  it("says where each service's requests go, a line of JSON", () => {
    expect(routesFile({ web: "web-1:80" })).toBe('{"live":{"web":"web-1:80"},"candidate":{}}\n');
    expect(routesFile({ web: "hold" }, { web: "web-2:80" })).toBe(
      '{"live":{"web":"hold"},"candidate":{"web":"web-2:80"}}\n',
    );
  });

  it("says where held requests go in the end, if the runner dies, and leaves the moment to the runner", () => {
    const before = { web: "web-1:80", api: "api-1:80" };
    expect(JSON.parse(routesFile({ web: "hold", api: "api-1:80" }, {}, before))).toEqual({
      live: { web: "hold", api: "api-1:80" },
      candidate: {},
      fallback: { web: "web-1:80" },
      since: 0,
    });
    expect(JSON.parse(routesFile({ web: "web-2:80" }, {}, before))).not.toHaveProperty("since");
  });
});
