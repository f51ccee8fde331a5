import type { Config } from "./schema";

/** What one field alone cannot show: each problem as "path: what is wrong and what would be right". */
export function crossChecks(config: Config): string[] {
  return [
    ...checkNeeds(config),
    ...checkRoutes(config),
    ...checkVolumes(config),
    ...checkSecrets(config),
    ...checkPorts(config),
  ];
}

function checkNeeds({ services, database }: Config): string[] {
  const known = [...Object.keys(services), ...(database ? ["database"] : [])];
  const unknown = Object.entries(services).flatMap(([name, { needs }]) =>
    needs
      .filter((need) => !known.includes(need))
      .map((need) =>
        need === "database"
          ? `services.${name}.needs: database is not configured`
          : `services.${name}.needs: there is no service ${need}; known are ${known.join(", ")}`,
      ),
  );
  const cycle = findCycle(
    Object.fromEntries(Object.entries(services).map(([name, one]) => [name, one.needs])),
  );
  return cycle === undefined
    ? unknown
    : [...unknown, `services: need each other in a circle: ${cycle.join(" -> ")}`];
}

/** A circle of needs, as the names along it, or undefined. */
export function findCycle(needs: Readonly<Record<string, readonly string[]>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (name: string, trail: string[]): string[] | undefined => {
    const at = trail.indexOf(name);
    if (at >= 0) return [...trail.slice(at), name];
    if (done.has(name)) return undefined;
    for (const next of needs[name] ?? []) {
      const found = walk(next, [...trail, name]);
      if (found) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(needs)) {
    const found = walk(name, []);
    if (found) return found;
  }
  return undefined;
}

function checkRoutes({ services }: Config): string[] {
  const owner = new Map<string, string>();
  return Object.entries(services).flatMap(([name, { route }]) =>
    route.flatMap((path) => {
      const other = owner.get(path);
      owner.set(path, name);
      return other === undefined ? [] : [`services.${name}.route: ${path} goes to ${other} already`];
    }),
  );
}

function checkVolumes({ services }: Config): string[] {
  const first = new Map<string, { service: string; shareable: boolean }>();
  return Object.entries(services).flatMap(([name, { volumes }]) =>
    volumes.flatMap((volume) => {
      const other = first.get(volume.name);
      if (other === undefined) {
        first.set(volume.name, { service: name, shareable: volume.shareable });
        return [];
      }
      return volume.shareable && other.shareable
        ? []
        : [
            `services.${name}.volumes: ${volume.name} is used by ${other.service} too: say shareable on both, or rename it`,
          ];
    }),
  );
}

function checkSecrets({ services, identityKey }: Config): string[] {
  const withSecrets = Object.entries(services).filter(([, { secrets }]) => Object.keys(secrets).length > 0);
  if (withSecrets.length === 0 || identityKey !== undefined) return [];
  return [
    "identityKey: is missing; services with secrets need it. Set it once: " +
      'pulumi config set --secret identityKey "$(openssl rand -hex 32)"',
  ];
}

function checkPorts({ http, tls }: Config): string[] {
  return tls?.port === http.port ? [`tls.port: must differ from http.port, both are ${http.port}`] : [];
}
