import { z } from "zod";
import { partsOfAddress } from "./address";
import { checkJobs } from "./checkJobs";
import { problemsOfReferences } from "./references";

/**
 * What one field alone cannot show. The checks read the config as it was written, each field as far as it can be read,
 * so that they speak also when another field is wrong. What is wrong in itself is told by the schema; here it counts as
 * given.
 */
const given = z.unknown().optional();
const group = z.record(z.string(), z.unknown()).catch({});
const texts = z
  .array(z.unknown())
  .catch([])
  .transform((list) => list.filter((one) => typeof one === "string"));
const volume = z.object({
  name: z.string(),
  volume: z.string().optional().catch(undefined),
  shareable: z.boolean().catch(false),
});

const draftService = z.object({
  source: given,
  image: given,
  port: given,
  route: z.union([z.string().transform((one) => [one]), texts]),
  health: given,
  healthCommand: given,
  order: given,
  migrate: given,
  host: z.union([z.string().transform((one) => [one]), texts]),
  cache: texts,
  basicAuth: group,
  publish: z
    .array(
      z
        .object({ port: z.number(), host: z.number().optional(), protocol: z.string().catch("tcp") })
        .optional()
        .catch(undefined),
    )
    .catch([])
    .transform((list) => list.filter((one) => one !== undefined)),
  migrateKind: given,
  replicas: z.number().catch(1),
  buildSecrets: group,
  env: group,
  secrets: group,
  needs: texts,
  volumes: z
    .array(volume.optional().catch(undefined))
    .catch([])
    .transform((list) => list.filter((one) => one !== undefined)),
});

const draftConfig = z.object({
  domain: z.union([z.string().transform((one) => [one]), texts]),
  redirects: group,
  host: z.object({ address: z.string(), hostKey: given }).optional().catch(undefined),
  services: z.record(z.string(), draftService.optional().catch(undefined)).catch({}),
  database: given,
  http: z.object({ port: z.number().default(80) }).catch({ port: 80 }),
  tls: z
    .object({ port: z.number().default(443) })
    .optional()
    .catch(undefined),
  identityKey: given,
  notify: z.object({ telegram: given }).catch({}),
  jobs: z
    .record(z.string(), z.object({ service: z.string().optional().catch(undefined) }).catch({}))
    .catch({}),
});

type Draft = z.infer<typeof draftConfig>;
type Service = z.infer<typeof draftService>;
type Services = readonly (readonly [name: string, service: Service])[];

/**
 * @param values the stack's config, decoded but not checked
 * @returns each problem as "path: what is wrong and what would be right"
 */
export function crossChecks(values: unknown): string[] {
  const config = draftConfig.parse(values);
  const services = Object.entries(config.services).flatMap(([name, service]): Services =>
    service === undefined ? [] : [[name, service]],
  );
  return [
    ...checkHostKey(config),
    ...services.flatMap(([name, service]) =>
      checkService(service).map((problem) => `services.${name}.${problem}`),
    ),
    ...checkNeeds(config, services),
    ...checkReferences(config, services),
    ...checkRoutes(config, services),
    ...checkHosts(config, services),
    ...checkVolumes(services),
    ...checkSecrets(config, services),
    ...checkPorts(config),
    ...checkPublished(config, services),
    ...checkJobs(new Map(Object.entries(config.jobs).map(([name, one]) => [name, one.service])), services),
  ];
}

function checkHostKey({ host }: Draft): string[] {
  if (host?.hostKey !== undefined) return [];
  const { name, port } = partsOfAddress(host?.address ?? "");
  if (name === "") return [];
  return [
    "host.hostKey: is needed with ssh: the server must prove who it is. " +
      `Get it with: ssh-keyscan -t ed25519 -p ${port} ${name} ` +
      "and compare it with what the server itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  ];
}

function checkService(service: Service): string[] {
  const { source, image, port, route, health, healthCommand, order, env, secrets, volumes } = service;
  const { migrate, migrateKind, publish, replicas, buildSecrets } = service;
  const problems: string[] = [];
  if ((source === undefined) === (image === undefined)) {
    problems.push("source: give either source (a folder to build) or image (one made elsewhere)");
  }
  if (health !== undefined && healthCommand !== undefined) {
    problems.push("healthCommand: give either health (a path) or healthCommand");
  }
  if (port === undefined && health !== undefined) problems.push("port: is needed to ask health");
  if (port === undefined && route.length > 0) problems.push("port: is needed for a route");
  if (health === undefined && route.length > 0) {
    problems.push("health: is needed for a route: requests go only to what answered it");
  } else if (port !== undefined && health === undefined && healthCommand === undefined) {
    problems.push("health: give health (a path) or healthCommand: a release is only as good as its check");
  }
  if (order === "start-first" && volumes.some(({ shareable }) => !shareable)) {
    problems.push(
      "order: start-first lets two versions write to a volume at once: say shareable on it, or use stop-first",
    );
  }
  if (publish.length > 0 && route.length > 0) {
    problems.push("publish: is for what nginx does not serve: take out route, or publish");
  }
  if (order === "start-first" && publish.length > 0) {
    problems.push(
      "order: start-first cannot go with publish: only one can have a port of the host, so use auto",
    );
  }
  if (source === undefined && Object.keys(buildSecrets).length > 0) {
    problems.push("buildSecrets: nothing is built of an image made elsewhere: take them out, or give source");
  }
  if (replicas > 1 && publish.length > 0) {
    problems.push("replicas: only one container can have a port of the host: take out replicas, or publish");
  }
  if (replicas > 1 && volumes.some(({ shareable }) => !shareable)) {
    problems.push("replicas: only one may write to a volume: say shareable on it, or take out replicas");
  }
  if (replicas > 1 && migrateKind === "offline") {
    problems.push(
      "replicas: an offline migration stops one container: set replicas to 1 for the release that migrates, or migrateKind to expand",
    );
  }
  if (migrateKind !== undefined && migrate === undefined) {
    problems.push("migrateKind: there is no migration: give migrate, or leave it out");
  }
  if (order === "start-first" && migrateKind === "offline") {
    problems.push(
      "order: start-first cannot go with an offline migration, which stops the old version: use auto",
    );
  }
  for (const name of Object.keys(secrets)) {
    if (Object.hasOwn(env, name)) problems.push(`secrets: ${name} stands in env too: keep one`);
  }
  return problems;
}

function checkNeeds({ services: all, database }: Draft, services: Services): string[] {
  const known = [...Object.keys(all), ...(database === undefined ? [] : ["database"])];
  const unknown = services.flatMap(([name, { needs }]) =>
    needs
      .filter((need) => !known.includes(need))
      .map((need) =>
        need === "database"
          ? `services.${name}.needs: database is not configured`
          : `services.${name}.needs: there is no service ${JSON.stringify(need)}; known are ${known.join(", ")}`,
      ),
  );
  const cycle = findCycle(new Map(services.map(([name, { needs }]) => [name, needs])));
  return cycle === undefined
    ? unknown
    : [...unknown, `services: need each other in a circle: ${cycle.join(" -> ")}`];
}

function checkReferences({ services: all, database }: Draft, services: Services): string[] {
  const known = new Map(Object.entries(all).map(([name, one]) => [name, one?.port !== undefined]));
  return services.flatMap(([service, { env, needs }]) =>
    Object.entries(env).flatMap(([name, text]) =>
      (typeof text === "string"
        ? problemsOfReferences(text, { database: database !== undefined, services: known, needs })
        : []
      ).map((problem) => `services.${service}.env.${name}: ${problem}`),
    ),
  );
}

/** A circle of needs, as the names along it, or undefined. */
export function findCycle(needs: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (name: string, trail: string[]): string[] | undefined => {
    const at = trail.indexOf(name);
    if (at >= 0) return [...trail.slice(at), name];
    if (done.has(name)) return undefined;
    for (const next of needs.get(name) ?? []) {
      const found = walk(next, [...trail, name]);
      if (found) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const name of needs.keys()) {
    const found = walk(name, []);
    if (found) return found;
  }
  return undefined;
}

function checkRoutes({ domain }: Draft, services: Services): string[] {
  const owner = new Map<string, string>();
  return services.flatMap(([name, { route, host, cache }]) => {
    const hosts = host.length > 0 ? host : domain;
    const taken = route.flatMap((path) => {
      const others = (hosts.length > 0 ? hosts : [""]).flatMap((one) => {
        const place = `${one.toLowerCase()} ${path}`;
        const other = owner.get(place);
        owner.set(place, name);
        return other === undefined ? [] : [other];
      });
      const [other] = others;
      return other === undefined
        ? []
        : [`services.${name}.route: ${JSON.stringify(path)} goes to ${other} already`];
    });
    const elsewhere = cache
      .filter((path) => route.includes(path) || !route.some((one) => path.startsWith(one)))
      .map((path) =>
        route.includes(path)
          ? `services.${name}.cache: ${JSON.stringify(path)} is a whole route: name the folder of the files that never change`
          : `services.${name}.cache: ${JSON.stringify(path)} is under none of its routes`,
      );
    return [...taken, ...elsewhere];
  });
}

/** A name is the site's, or it only sends on to it. */
function checkHosts({ domain, redirects }: Draft, services: Services): string[] {
  const served = new Set(
    [...domain, ...services.flatMap(([, { host }]) => host)].map((one) => one.toLowerCase()),
  );
  return [
    ...services
      .filter(([, { host, route }]) => host.length > 0 && route.length === 0)
      .map(([name]) => `services.${name}.route: is needed with host, such as /`),
    ...services
      .filter(([, { basicAuth, route }]) => Object.keys(basicAuth).length > 0 && route.length === 0)
      .map(([name]) => `services.${name}.basicAuth: is for visitors, and it has no route`),
    ...Object.keys(redirects)
      .filter((from) => served.has(from.toLowerCase()))
      .map(
        (from) =>
          `redirects.${from}: is served itself, as a domain or as the host of a service: keep one of them`,
      ),
  ];
}

function checkVolumes(services: Services): string[] {
  const first = new Map<string, { service: string; shareable: boolean }>();
  return services.flatMap(([name, { volumes }]) =>
    volumes.flatMap((volume) => {
      const key = volume.volume ?? volume.name;
      const other = first.get(key);
      if (other === undefined) {
        first.set(key, { service: name, shareable: volume.shareable });
        return [];
      }
      if (volume.shareable && other.shareable) return [];
      const user = other.service === name ? "twice" : `by ${other.service} too`;
      return [
        `services.${name}.volumes: ${JSON.stringify(key)} is used ${user}: say shareable on both, or rename it`,
      ];
    }),
  );
}

function checkSecrets({ identityKey, jobs, notify }: Draft, services: Services): string[] {
  const withSecrets = services.filter(
    ([, { secrets, basicAuth }]) => Object.keys({ ...secrets, ...basicAuth }).length > 0,
  );
  const withToken = Object.keys(jobs).length > 0 && notify.telegram !== undefined;
  if ((withSecrets.length === 0 && !withToken) || identityKey !== undefined) return [];
  return [
    `identityKey: is missing; ${withSecrets.length === 0 ? "jobs that are told of by Telegram" : "services with secrets"} need it. Set it once: ` +
      "openssl rand -hex 32 | pulumi config set --secret identityKey",
  ];
}

/** Only one can have a port of the host. */
function checkPublished({ http, tls }: Draft, services: Services): string[] {
  const owner = new Map([
    [`${http.port}/tcp`, "http.port"],
    ...(tls === undefined ? [] : [[`${tls.port}/tcp`, "tls.port"] as const]),
  ]);
  return services.flatMap(([name, { publish }]) =>
    publish.flatMap(({ port, host = port, protocol }, i) => {
      const place = `${host}/${protocol}`;
      const other = owner.get(place);
      owner.set(place, `services.${name}`);
      return other === undefined
        ? []
        : [
            `services.${name}.publish[${i}]: port ${host} of the host is that of ${other} already: say another one as host`,
          ];
    }),
  );
}

function checkPorts({ http, tls }: Draft): string[] {
  return tls?.port === http.port ? [`tls.port: must differ from http.port, both are ${http.port}`] : [];
}
