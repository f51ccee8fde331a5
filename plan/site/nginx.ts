import type { Config } from "../config/schema";
import { doorOf, DOORS, visitorPorts } from "../wanted/doors";
import { digest } from "../wanted/identity";
import { ERROR_LOCATIONS, errorPages, ON_ERROR } from "./errorPages";
import { FROM_WITHIN, seenAt, TRUSTED_INSIDE, whoAsks } from "./forwarded";

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
 * of programs, without which all of it is slow. Measured.
 */
const NGINX_MIB = 10 + 2 * 6 + 6 + 6;
/** What a request takes that has waited for a minute (450 of them, measured). */
const WAITING_KIB = { http: 115, https: 131 };

/** How many requests may wait at once: with more the kernel would kill nginx, and all that goes through it. */
function mostWaiting({ proxy, tls }: Config): number {
  const each = WAITING_KIB[tls === undefined ? "http" : "https"];
  return Math.max(1, Math.floor(((proxy.memory - NGINX_MIB) * 1024) / each));
}

type Routed = [name: string, service: Config["services"][string]];

function render(config: Config): string {
  const { proxy, tls, domain } = config;
  const http = Object.entries(config.services)
    .filter(([, service]) => service.health !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const hosts = domain.join(" ");
  const most = mostWaiting(config);
  const inside = visitorPorts(config);
  const door = (kind: "live" | "candidate") =>
    site(
      http,
      `listen unix:${DOORS[kind]};\n    server_name ${hosts};${FROM_WITHIN}${asVisitors(config)}`,
      kind,
      most,
    );
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
${whoAsks(proxy.trust)}${errorPages()}
  server {
    listen unix:${DOORS.ready};
    location = /ready { return 200 "ready\\n"; }
    location = /site { return 200 "%SITE% $pid"; }
  }

  # A name that is not this site's.
  server {
    listen ${inside.http} default_server;${tls ? `\n    listen ${inside.https} ssl http2 default_server;` + certificate(tls) : ""}
    default_type text/plain;
    return 404 "no such site\\n";
  }
${visitors(config, http, hosts, most)}
${door("candidate")}
${door("live")}
${http.map((one) => internal(one, most)).join("\n")}
}
`;
}

function visitors(config: Config, http: readonly Routed[], hosts: string, most: number): string {
  const { tls } = config;
  const inside = visitorPorts(config);
  if (tls === undefined)
    return site(http, `listen ${inside.http};\n    server_name ${hosts};${asVisitors(config)}`, "live", most);
  const port = tls.port === 443 ? "" : `:${tls.port}`;
  return `  server {
    listen ${inside.http};
    server_name ${hosts};
    location /.well-known/acme-challenge/ { root ${tls.folder}/acme; }
    location / { return 308 https://$host${port}$request_uri; }
  }
${site(http, `listen ${inside.https} ssl http2;\n    server_name ${hosts};${certificate(tls)}${asVisitors(config)}`, "live", most)}`;
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

/** One server with every route of the site. */
function site(http: readonly Routed[], listen: string, kind: "live" | "candidate", most: number): string {
  const locations = http.flatMap(([name, service]) =>
    service.route.map((path) => `${location(path, name, kind)}\n`),
  );
  const root = http.some(([, service]) => service.route.includes("/"))
    ? ""
    : '    location / { default_type text/plain; return 404 "nothing is served here\\n"; }\n';
  return server(listen, locations.join(""), root, most);
}

/** A service under its own name, for other services; and for the check of a release, which asks as visitors do. */
function internal([name, service]: Routed, most: number): string {
  const port = service.port ?? 0;
  return server(
    `listen ${port};\n    listen unix:${doorOf(name)};\n    server_name ${name};${TRUSTED_INSIDE}${seenAt("http", port)}`,
    `${location("/", name, "live")}\n`,
    "",
    most,
  );
}

/** @param routed the locations that lead to services; $target is theirs, and nginx starts with none that nobody sets */
function server(listen: string, routed: string, others: string, most: number): string {
  return `  server {
    ${listen}
    ${ON_ERROR}
${routed === "" ? "" : `${waiting(most)}${routed}`}${others}${ERROR_LOCATIONS}  }
`;
}

/** Where requests go that must not be answered just now. */
function waiting(most: number): string {
  return `    error_page 596 = @closing;
    error_page 598 = @hold;
    recursive_error_pages on;
    location @closing { keepalive_timeout 0; proxy_pass http://$target; }
    location @hold {
      ${ON_ERROR}
      error_page 403 = @unavailable;
      limit_conn waiting ${most};
      auth_request /.deploy/hold;
      proxy_pass http://$target;
    }
    location = /.deploy/hold { internal; js_content routes.hold; }
`;
}

/**
 * The target is read once a request. 596 to 598 are ours and never leave nginx. The file `closing` announces a reload,
 * which closes kept connections, and fails a request that is just being sent on one: those in use are given up before.
 */
function location(path: string, name: string, kind: "live" | "candidate"): string {
  return `    location ${path} {
      set $service ${name};
      set $target $${kind};
      if ($target = hold) { return 598; }
      if ($target = "") { return 597; }
      if (-f /etc/nginx/state/closing) { return 596; }
      proxy_pass http://$target;
    }`;
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
