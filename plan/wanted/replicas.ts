/**
 * Several containers of one service, its replicas. Each is exchanged by itself and has a name of its own: the first one the
 * service's, the others web.2, web.3. No service can be called so (config/schema.ts).
 */
export function replicaName(service: string, number: number): string {
  return number === 1 ? service : `${service}.${number}`;
}

/** The service that a container serves for: of web.2 it is web. */
export function serviceOf(name: string): string {
  return name.split(".", 1)[0] ?? name;
}
