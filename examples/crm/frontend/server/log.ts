/** Writes one line of JSON to stdout. For starts, stops and errors: one a request is the proxy's work. */
export function log(level: "info" | "error", message: string, details: Record<string, unknown> = {}): void {
  const line = { time: new Date().toISOString(), level, service: "frontend", message, ...details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
