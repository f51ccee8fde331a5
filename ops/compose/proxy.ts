import type { ComposeProject, ComposeService } from "./model";

/** What a reverse proxy in front of the services does, as far as it can be read. */
export interface ReadRoutes {
  /** Service, as compose calls it -> the paths that lead to it, and the port there. */
  readonly routes: ReadonlyMap<
    string,
    { readonly paths: readonly string[]; readonly port: number | undefined }
  >;
  /** Host names of the site. */
  readonly hosts: readonly string[];
  /** What was found and could not be read, a line each. */
  readonly unread: readonly string[];
}

const PROXIES = /(^|\/)(nginx|nginx-proxy|openresty|traefik|caddy|haproxy)(:|@|$)/;

/** A reverse proxy is left out: the stack brings its own. One of these images that serves files itself is a service. */
export function isProxy(
  service: ComposeService,
  texts: readonly string[],
  names: readonly string[],
): boolean {
  if (service.build !== undefined || service.image === undefined || !PROXIES.test(service.image))
    return false;
  if (!/(^|\/)(nginx|openresty)(:|@|$)/.test(service.image)) return true;
  return texts
    .map(withoutComments)
    .some((text) => names.some((name) => text.includes(name)) && /proxy_pass/.test(text));
}

/** @param texts the files that are mounted into the proxy */
export function readRoutes(project: ComposeProject, texts: readonly string[]): ReadRoutes {
  const names = new Set(Object.keys(project.services));
  const found = new Map<string, { paths: string[]; port: number | undefined }>();
  const hosts: string[] = [];
  const unread: string[] = [];
  const add = (service: string, path: string, port: number | undefined) => {
    const one = found.get(service) ?? { paths: [], port };
    if (!one.paths.includes(path)) one.paths.push(path);
    found.set(service, { ...one, port: one.port ?? port });
  };
  for (const text of texts.map(withoutComments)) {
    const read = /proxy_pass/.test(text) ? readNginx(text) : readCaddy(text);
    hosts.push(...read.hosts);
    unread.push(...read.unread);
    for (const { path, service, port } of read.routes) if (names.has(service)) add(service, path, port);
  }
  for (const [name, { labels }] of Object.entries(project.services)) {
    const read = readTraefik(labels ?? {});
    if (read === undefined) continue;
    hosts.push(...read.hosts);
    for (const path of read.paths) add(name, path, read.port);
  }
  return { routes: found, hosts: [...new Set(hosts)], unread };
}

interface Route {
  readonly path: string;
  readonly service: string;
  readonly port: number | undefined;
}
interface Read {
  readonly routes: readonly Route[];
  readonly hosts: readonly string[];
  readonly unread: readonly string[];
}

/** A comment begins at a word's start: # is also part of addresses. */
function withoutComments(text: string): string {
  return text.replace(/(^|\s)#.*$/gm, "$1");
}

function readNginx(text: string): Read {
  const upstreams = new Map(
    [...text.matchAll(/upstream\s+(\S+)\s*\{[^}]*?server\s+([\w.-]+)(?::(\d+))?/g)].map(
      ([, name = "", service = "", port]) => [name, { service, port: portOf(port) }],
    ),
  );
  const routes: Route[] = [];
  const unread: string[] = [];
  for (const [, modifier = "", path = "", body = ""] of text.matchAll(
    /location\s+(?:(=|~\*?|\^~)\s+)?(\S+)\s*\{([^{}]*)\}/g,
  )) {
    const to = /proxy_pass\s+https?:\/\/([\w.-]+)(?::(\d+))?([^;]*);/.exec(body);
    if (to === null || modifier.startsWith("~") || !path.startsWith("/")) {
      unread.push(`nginx: location ${[modifier, path].join(" ").trim()}`);
      continue;
    }
    const [, target = "", port, rest = ""] = to;
    routes.push({
      path,
      ...(upstreams.get(target) ?? { service: target, port: portOf(port) }),
    });
    if (rest.trim() !== "" && rest.trim() !== path)
      unread.push(`nginx: location ${path} is handed on as ${rest.trim()}: here a path stays as it is`);
  }
  for (const [, size = ""] of text.matchAll(/client_max_body_size\s+([^;]+);/g))
    unread.push(`nginx: client_max_body_size ${size}: set proxy.maxBody`);
  const hosts = [...text.matchAll(/server_name\s+([^;]+);/g)].flatMap(([, names = ""]) =>
    names.trim().split(/\s+/),
  );
  return { routes, hosts: hosts.filter((one) => /\./.test(one)), unread };
}

function readCaddy(text: string): Read {
  const routes: Route[] = [];
  const hosts: string[] = [];
  let within: string | undefined;
  for (const line of text.split("\n").map((one) => one.trim())) {
    const site = /^((?:[\w*-]+\.)+[\w-]+(?:\s*,\s*(?:[\w*-]+\.)+[\w-]+)*)\s*\{$/.exec(line);
    if (site !== null) hosts.push(...(site[1] ?? "").split(/\s*,\s*/));
    within = /^handle(?:_path)?\s+(\S+)\s*\{$/.exec(line)?.[1] ?? (line === "}" ? undefined : within);
    const to = /^reverse_proxy\s+(?:(\/\S*)\s+)?(?:http:\/\/)?([\w.-]+)(?::(\d+))?/.exec(line);
    if (to === null) continue;
    const [, matcher, service = "", port] = to;
    const path = (matcher ?? within ?? "/").replace(/\*$/, "");
    routes.push({ path, service, port: portOf(port) });
  }
  return { routes, hosts, unread: [] };
}

function readTraefik(
  labels: Readonly<Record<string, string | null>>,
): { hosts: string[]; paths: string[]; port: number | undefined } | undefined {
  const rules = Object.entries(labels).flatMap(([name, value]) =>
    /^traefik\.http\.routers\..*\.rule$/.test(name) ? [value ?? ""] : [],
  );
  if (rules.length === 0) return undefined;
  const quoted = (rule: string, word: string) =>
    [...rule.matchAll(new RegExp(`\\b${word}\\(([^)]*)\\)`, "g"))].flatMap(([, inner = ""]) =>
      [...inner.matchAll(/[`"']([^`"']+)[`"']/g)].map(([, one = ""]) => one),
    );
  const paths = rules.flatMap((rule) => [...quoted(rule, "PathPrefix"), ...quoted(rule, "Path")]);
  const port = Object.entries(labels).find(([name]) => name.endsWith(".loadbalancer.server.port"))?.[1];
  return {
    hosts: rules.flatMap((rule) => quoted(rule, "Host")),
    paths: paths.length === 0 ? ["/"] : paths,
    port: portOf(port),
  };
}

function portOf(text: string | null | undefined): number | undefined {
  return text === undefined || text === null ? undefined : Number(text);
}
