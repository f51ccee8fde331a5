import type { Config } from "./config/schema";
import { digest } from "./identity";

/**
 * The text of nginx.conf for a stack. It knows services by name only; which container answers for a service is in
 * routes.json (host/proxy/routes.js), so a release of services leaves nginx.conf as it is. The first line names it
 * by its content and that of the script.
 *
 * Listeners inside the proxy's container:
 *   80, 443    visitors            <service port>  other services, under the service's name
 *   8079       is nginx up, and with which configuration
 *   8081       the site as the release that is being tried would serve it (only from within)
 *   8082       the site as it serves now (only from within)
 */
export function siteConfig(config: Config, routesScript: string): string {
  const body = render(config);
  const name = digest([body, routesScript]);
  return `# site ${name}\n${body.replaceAll("%SITE%", name)}`;
}

export function siteDigest(site: string): string {
  return /^# site (\S+)/.exec(site)?.[1] ?? "";
}

type Routed = [name: string, service: Config["services"][string]];

function render(config: Config): string {
  const { proxy, tls, domain } = config;
  const http = Object.entries(config.services)
    .filter(([, service]) => service.health !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const hosts = domain.join(" ");
  return `load_module modules/ngx_http_js_module.so;
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
worker_shutdown_timeout 60s;
events { worker_connections 1024; }

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

  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  map $http_x_forwarded_proto $forwarded_proto { default $scheme; ~^https?$ $http_x_forwarded_proto; }

  client_max_body_size ${proxy.maxBody}m;
  gzip on;
  gzip_proxied any;
  gzip_min_length 1024;
  gzip_types text/plain text/css application/json application/javascript text/javascript image/svg+xml application/manifest+json;

  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $forwarded_proto;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_connect_timeout 5s;
  proxy_read_timeout ${proxy.timeout}s;
  proxy_send_timeout ${proxy.timeout}s;

  server {
    listen 127.0.0.1:8079;
    location = /ready { return 200 "ready\\n"; }
    location = /site { return 200 "%SITE%"; }
  }

  # A name that is not this site's.
  server {
    listen 80 default_server;${tls ? "\n    listen 443 ssl default_server;" + certificate(tls) : ""}
    return 404 "no such site\\n";
  }
${visitors(config, http, hosts)}
${site(http, `listen 127.0.0.1:8081;\n    server_name ${hosts};`, "candidate")}
${site(http, `listen 127.0.0.1:8082;\n    server_name ${hosts};`, "live")}
${http.map(internal).join("\n")}
}
`;
}

function visitors(config: Config, http: readonly Routed[], hosts: string): string {
  const { tls } = config;
  if (tls === undefined) return site(http, `listen 80;\n    server_name ${hosts};`, "live");
  const port = tls.port === 443 ? "" : `:${tls.port}`;
  return `  server {
    listen 80;
    server_name ${hosts};
    location /.well-known/acme-challenge/ { root ${tls.folder}/acme; }
    location / { return 308 https://$host${port}$request_uri; }
  }
${site(http, `listen 443 ssl;\n    server_name ${hosts};${certificate(tls)}`, "live")}`;
}

function certificate(tls: NonNullable<Config["tls"]>): string {
  return `
    ssl_certificate ${tls.folder}/${tls.certificate};
    ssl_certificate_key ${tls.folder}/${tls.key};
    ssl_session_cache shared:tls:1m;`;
}

/** One server with every route of the site. */
function site(http: readonly Routed[], listen: string, kind: "live" | "candidate"): string {
  const locations = http.flatMap(([name, service]) =>
    service.route.map((path) => location(path, name, kind)),
  );
  const root = http.some(([, service]) => service.route.includes("/"))
    ? ""
    : '    location / { return 404 "nothing is served here\\n"; }\n';
  return server(listen, locations.join("\n") + "\n" + root);
}

/** A service under its own name, for other services. */
function internal([name, service]: Routed): string {
  return server(
    `listen ${String(service.port)};\n    server_name ${name};`,
    location("/", name, "live") + "\n",
  );
}

function server(listen: string, locations: string): string {
  return `  server {
    ${listen}
    set $service "";
    set $target "";
    error_page 502 504 = @unavailable;
    error_page 597 = @unavailable;
    error_page 598 = @hold;
    recursive_error_pages on;
${locations}    location @hold { js_content routes.hold; }
    location @pass { proxy_pass http://$target; }
    location @unavailable {
      internal;
      add_header Retry-After 5 always;
      default_type text/html;
      return 503 "<!doctype html><meta charset=utf-8><title>Back in a moment</title><p>This page is being updated. Please try again in a moment.</p>\\n";
    }
  }
`;
}

/** The target is read once a request; 598 and 597 are ours and never leave nginx. */
function location(path: string, name: string, kind: "live" | "candidate"): string {
  return `    location ${path} {
      set $service ${name};
      set $target $${kind};
      if ($target = hold) { return 598; }
      if ($target = "") { return 597; }
      proxy_pass http://$target;
    }`;
}

/**
 * The text of routes.json: service -> container:port, or "hold".
 *
 * @param fallback where the requests of a held service go when the hold has lasted too long (the runner was killed, the
 *   machine was restarted); the runner writes since when it holds in place of 0
 */
export function routesFile(
  live: Readonly<Record<string, string>>,
  candidate: Readonly<Record<string, string>> = {},
  fallback: Readonly<Record<string, string>> = {},
): string {
  const held = Object.fromEntries(Object.entries(fallback).filter(([name]) => live[name] === "hold"));
  const waits = Object.keys(held).length > 0;
  return `${JSON.stringify({ live, candidate, ...(waits ? { fallback: held, since: 0 } : {}) })}\n`;
}
