import type { Config, ServiceConfig } from "../config/schema";
import { type HostGroup, hostGroups, type Routed } from "../wanted/hosts";
import { doorOf, DOORS, visitorPorts } from "../wanted/doors";
import { digest } from "../wanted/identity";
import { ACCESS_LOG, accessLogFormat, NOBODY_ANSWERS } from "./accessLog";
import { errorLocations, errorPages, ON_ERROR } from "./errorPages";
import { FROM_WITHIN, seenAt, TRUSTED_INSIDE, whoAsks } from "./forwarded";
import { guards, guardVariables, headers, hsts, limits } from "./own";

/**
 * The text of nginx.conf for a stack. It knows services by name only; which container answers for a service is in
 * routes.json (host/proxy/routes.js), so a release of services leaves nginx.conf as it is. The first line names it
 * by its content and that of the script.
 *
 * Listeners inside the proxy's container: for visitors (visitorPorts), for other services under a service's name and
 * port, and the doors of the runner (DOORS), which are sockets.
 */
export function siteConfig(config: Config, routesScript: string): string {
  const body = render(config);
  const name = digest([body, routesScript]);
  return `# site ${name}\n${body.replaceAll("%SITE%", name)}`;
}

export function siteDigest(site: string): string {
  return /^# site (\S+)/.exec(site)?.[1] ?? "";
}

/**
 * MiB of proxy.memory for nginx itself: 10; 6 for each worker that still has requests after a reload, and while requests
 * wait a release may load its site and, undone, the old one again; 6 for the check of a site (`nginx -t`); 6 for the pages
 * of programs, without which all of it is slow; 2 for the curl that asks while a release runs. Measured.
 */
const NGINX_MIB = 10 + 2 * 6 + 6 + 6 + 2;
/** What a request takes that has waited for a minute (450 of them, measured). */
const WAITING_KIB = { http: 115, https: 131 };

/** How many requests may wait at once: with more the kernel would kill nginx, and all that goes through it. */
function mostWaiting({ proxy, tls }: Config): number {
  const each = WAITING_KIB[tls === undefined ? "http" : "https"];
  return Math.max(1, Math.floor(((proxy.memory - NGINX_MIB) * 1024) / each));
}

function render(config: Config): string {
  const { proxy, tls } = config;
  const http = Object.entries(config.services)
    .filter(([, service]) => service.health !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const groups = hostGroups(config, http);
  const most = mostWaiting(config);
  const inside = visitorPorts(config);
  const door = (kind: "live" | "candidate") =>
    groups
      .map(({ hosts, services }) =>
        site(config, services, {
          listen: `listen unix:${DOORS[kind]};\n    server_name ${hosts.join(" ")};${FROM_WITHIN}${asVisitors(config)}`,
          kind,
          // Whoever knocks here is the runner.
          guarded: false,
          always: "",
          most,
        }),
      )
      .join("");
  return `load_module modules/ngx_http_js_module.so;
worker_processes 1;
worker_rlimit_nofile 8192;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
worker_shutdown_timeout 60s;
events { worker_connections 4096; }

http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  server_tokens off;
  server_names_hash_bucket_size 128;
  variables_hash_max_size 2048;

  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;

  # Docker's own name server: a container that was restarted elsewhere is found within a second.
  resolver 127.0.0.11 valid=1s ipv6=off;
  resolver_timeout 3s;
  js_path /etc/nginx/state/;
  js_import routes from routes.js;
  js_set $live routes.live;
  js_set $candidate routes.candidate;

  gzip on;
  gzip_proxied any;
  gzip_vary on;
  gzip_min_length 1024;
  gzip_types text/plain text/css application/json application/javascript text/javascript image/svg+xml application/manifest+json;

  # Nothing is kept here on its way, neither in memory nor in files: an upload is in flight, and seen by a release, from
  # its first byte; an event arrives when it happens; and however large or slow, a request costs a buffer or two.
  client_max_body_size ${proxy.maxBody}m;
  proxy_request_buffering off;
  proxy_buffering off;
  proxy_buffer_size 16k;
  proxy_busy_buffers_size 16k;
  # What a service may have begun is never sent again.
  proxy_next_upstream off;
  proxy_http_version 1.1;
  proxy_connect_timeout 5s;
  proxy_read_timeout ${proxy.timeout}s;
  proxy_send_timeout ${proxy.timeout}s;
  # More requests than nginx has memory for do not wait.
  limit_conn_zone waiting zone=waiting:1m;
  limit_conn_status 597;
  limit_conn_log_level info;
${proxy.accessLog ? accessLogFormat() : ""}${whoAsks(proxy.trust)}${errorPages()}${guardVariables(http)}
  server {
    listen unix:${DOORS.ready};
    location = /ready { return 200 "ready\\n"; }
    location = /site { return 200 "%SITE% $pid"; }
  }

  # A name that is not this site's.
  server {
    listen ${inside.http} default_server;${logged(config)}${tls ? `\n    listen ${inside.https} ssl http2 default_server;` + certificate(tls) : ""}
    default_type text/plain;${proxy.accessLog ? `\n    ${NOBODY_ANSWERS}` : ""}
    return 404 "no such site\\n";
  }
${visitors(config, groups, most)}
${door("candidate")}
${door("live")}
${http.map((one) => internal(config, one, most)).join("\n")}
}
`;
}

function visitors(config: Config, groups: readonly HostGroup[], most: number): string {
  const { tls } = config;
  const inside = visitorPorts(config);
  const each = (listen: string, secure: string, always: string) =>
    groups
      .map(({ hosts, services }) => {
        const where = `${listen};\n    server_name ${hosts.join(" ")};${secure}${logged(config)}${asVisitors(config)}`;
        return site(config, services, { listen: where, kind: "live", guarded: true, always, most });
      })
      .join("");
  const moved = redirects(config);
  if (tls === undefined) return `${moved}${each(`listen ${inside.http}`, "", "")}`;
  const port = tls.port === 443 ? "" : `:${tls.port}`;
  return `${moved}  server {
    listen ${inside.http};
    server_name ${groups.flatMap(({ hosts }) => hosts).join(" ")};${logged(config)}
    location /.well-known/acme-challenge/ { root ${tls.folder}/acme; }
    location / { return 308 https://$host${port}$request_uri; }
  }
${each(`listen ${inside.https} ssl http2`, certificate(tls), hsts(config))}`;
}

/** What visitors ask is written down; what services and the runner ask is not. */
function logged({ proxy }: Config): string {
  return proxy.accessLog ? `\n    ${ACCESS_LOG}` : "";
}

/** Other names of the site. */
function redirects(config: Config): string {
  const { redirects: names, http, tls } = config;
  const inside = visitorPorts(config);
  const [scheme, port, usual] = tls === undefined ? ["http", http.port, 80] : ["https", tls.port, 443];
  const shown = port === usual ? "" : `:${port}`;
  const listens = tls === undefined ? [""] : ["", certificate(tls)];
  return Object.entries(names)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([from, to]) =>
      listens.map((secure) => {
        const listen = secure === "" ? inside.http : `${inside.https} ssl http2`;
        const challenge =
          tls === undefined || secure !== ""
            ? ""
            : `\n    location /.well-known/acme-challenge/ { root ${tls.folder}/acme; }`;
        return `  server {
    listen ${listen};
    server_name ${from};${secure}${logged(config)}${challenge}
    location / { return 301 ${scheme}://${to}${shown}$request_uri; }
  }
`;
      }),
    )
    .join("");
}

/** Where a visitor sees the site, whichever way a request came in. */
function asVisitors({ http, tls }: Config): string {
  return seenAt(tls === undefined ? "http" : "https", tls?.port ?? http.port);
}

function certificate(tls: NonNullable<Config["tls"]>): string {
  return `
    ssl_certificate ${tls.folder}/${tls.certificate};
    ssl_certificate_key ${tls.folder}/${tls.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_prefer_server_ciphers off;
    ssl_session_tickets off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:tls:1m;`;
}

interface Door {
  readonly listen: string;
  readonly kind: "live" | "candidate";
  /** Whether visitors come in here, who may have to say who they are. */
  readonly guarded: boolean;
  /** A header of each response. */
  readonly always: string;
  /** How many requests may wait. */
  readonly most: number;
}

/** One server with every route of a host name. */
function site(config: Config, services: readonly Routed[], door: Door): string {
  const locations = services.flatMap(([name, service]) => [
    ...service.route.map((path) => location(config, { path, name, service, door, cached: false })),
    ...service.cache.map((path) => location(config, { path, name, service, door, cached: true })),
    ...waitingOfItsOwn([name, service], door),
  ]);
  const root = services.some(([, service]) => service.route.includes("/"))
    ? ""
    : '    location / { default_type text/plain; return 404 "nothing is served here\\n"; }\n';
  return server(door, locations.join(""), root);
}

/** A service under its own name, for other services; and for the check of a release, which asks as visitors do. */
function internal(config: Config, [name, service]: Routed, most: number): string {
  const port = service.port ?? 0;
  const listen = `listen ${port};\n    listen unix:${doorOf(name)};\n    server_name ${name};${TRUSTED_INSIDE}${seenAt("http", port)}`;
  const door: Door = { listen, kind: "live", guarded: false, always: "", most };
  const within = { ...service, headers: {} };
  const routed = [
    location(config, { path: "/", name, service: within, door, cached: false }),
    ...waitingOfItsOwn([name, within], door),
  ];
  return server(door, routed.join(""), "");
}

/** @param routed the locations that lead to services; $target is theirs, and nginx starts with none that nobody sets */
function server(door: Door, routed: string, others: string): string {
  const always = door.always === "" ? "" : `\n    ${door.always}`;
  return `  server {
    ${door.listen}${always}
    ${ON_ERROR}
${routed === "" ? "" : `${waiting(door)}${routed}`}${others}${errorLocations(door.always)}  }
`;
}

/** Where requests go that must not be answered just now. */
function waiting(door: Door): string {
  return `    error_page 596 = @closing;
    error_page 598 = @hold;
    recursive_error_pages on;
${waitingRoom("", "", door)}    location = /.deploy/hold { internal; client_max_body_size 0; js_content routes.hold; }
`;
}

function waitingRoom(suffix: string, own: string, { most }: Door): string {
  return `    location @closing${suffix} { keepalive_timeout 0;${own} proxy_pass http://$target; }
    location @hold${suffix} {
      ${ON_ERROR}
      error_page 403 = @unavailable;
      limit_conn waiting ${most};
      auth_request /.deploy/hold;${own}
      proxy_pass http://$target;
    }
`;
}

/** A service with limits or headers of its own has them also for what had to wait. */
function waitingOfItsOwn([name, service]: Routed, door: Door): string[] {
  const own = ownSettings(service, door, false);
  return own === "" ? [] : [waitingRoom(`_${name}`, own, door)];
}

function ownSettings(service: ServiceConfig, door: Door, cached: boolean): string {
  return `${limits(service)}${headers(service, door.always, cached)}`;
}

interface Place {
  readonly path: string;
  readonly name: string;
  readonly service: ServiceConfig;
  readonly door: Door;
  /** Whether its files never change. */
  readonly cached: boolean;
}

/**
 * The target is read once a request. 596 to 598 are ours and never leave nginx. The file `closing` announces a reload,
 * which closes kept connections, and fails a request that is just being sent on one: those in use are given up before.
 */
function location(config: Config, { path, name, service, door, cached }: Place): string {
  const rooms =
    ownSettings(service, door, false) === ""
      ? ""
      : `\n      ${ON_ERROR}\n      error_page 596 = @closing_${name};\n      error_page 598 = @hold_${name};`;
  return `    location ${path} {${door.guarded ? guards(name, service, config) : ""}
      set $service ${name};
      set $target $${door.kind};
      set $held 0;
      if ($target = hold) { return 598; }
      if ($target = "") { return 597; }
      if (-f /etc/nginx/state/closing) { return 596; }${rooms}${ownSettings(service, door, cached)}
      proxy_pass http://$target;
    }
`;
}

/**
 * The text of routes.json: service -> container:port, or "hold".
 *
 * @param fallback where the requests of a held service go when the hold has lasted too long (the runner was killed, the
 *   machine was restarted); the runner writes since when it holds in place of 0
 * @param heirs where requests go that have waited for a service which is no more
 */
export function routesFile(
  live: Readonly<Record<string, string>>,
  candidate: Readonly<Record<string, string>> = {},
  fallback: Readonly<Record<string, string>> = {},
  heirs: Readonly<Record<string, string>> = {},
): string {
  const held = Object.fromEntries(Object.entries(fallback).filter(([name]) => live[name] === "hold"));
  const waits = Object.keys(held).length > 0;
  return `${JSON.stringify({
    live,
    candidate,
    ...(waits ? { fallback: held, since: 0 } : {}),
    ...(Object.keys(heirs).length > 0 ? { heirs } : {}),
  })}\n`;
}
