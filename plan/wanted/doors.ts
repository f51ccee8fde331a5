import type { Config } from "../config/schema";

/**
 * Where nginx listens inside its own container. Services reach each other there under their names and ports, so every
 * port that a person may think of is a service's: what is nginx's own has sockets, and visitors come in by ports that
 * nobody uses.
 */
/**
 * In memory, and empty at each start, when nginx makes the sockets. A folder that the image has: of any other, older engines
 * forget at a restart that nginx's user may write to it.
 */
const FOLDER = "/tmp";

export const DOORS = {
  /** Is nginx up, and with which site. */
  ready: `${FOLDER}/ready.sock`,
  /** The site as the release that is being tried would serve it. */
  candidate: `${FOLDER}/candidate.sock`,
  /** The site as it serves now. */
  live: `${FOLDER}/live.sock`,
};

/** One service as nginx passes requests on to it, whatever host name they are asked with. */
export function doorOf(service: string): string {
  return `${FOLDER}/service-${service}.sock`;
}

/**
 * Above those that the kernel gives to outgoing connections (32768 to 60999), one of which might be nginx's. Another one
 * only where a service has this, so that the proxy stays the same when services come and go.
 */
const VISITORS = { http: 61080, https: 61443 };

/** Where visitors come in; published as `http.port` and `tls.port`. */
export function visitorPorts({ services }: Config): { http: number; https: number } {
  const taken = new Set(Object.values(services).map(({ port }) => port));
  const free = (first: number): number => (taken.has(first) ? free(first + 1) : first);
  return { http: free(VISITORS.http), https: free(VISITORS.https) };
}
