import { type Server } from "node:http";
import { Server as TcpServer } from "node:net";

/** Aborted by the first SIGTERM or SIGINT. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => controller.abort(name));
  return controller.signal;
}

/** Resolves once `stop` is aborted. */
export async function stopped(stop: AbortSignal): Promise<void> {
  if (!stop.aborted) await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
}

const politeMs = 300;
const drainMs = 30_000;

/**
 * Closes the server: no new connection, requests in flight are finished, for 30 s at most.
 * Once stop is aborted the app answers with `Connection: close`; what is idle then is closed 300 ms later, since
 * the next request of a proxy that kept its connection open may already be on its way.
 */
export async function drain(server: Server): Promise<void> {
  // Not the close of http.Server, which would close idle connections at once.
  const closed = new Promise<void>((resolve) => TcpServer.prototype.close.call(server, () => resolve()));
  const polite = setTimeout(() => server.closeIdleConnections(), politeMs);
  const last = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(polite);
  clearTimeout(last);
}
