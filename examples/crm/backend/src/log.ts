type Level = "info" | "error";

/** Writes one line of JSON to stdout. For starts, stops and errors: one a request is the proxy's work. */
export function log(level: Level, message: string, details: Record<string, unknown> = {}): void {
  const line = { time: new Date().toISOString(), level, service: "backend", message, ...details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The text of anything thrown; an AggregateError (a name with two addresses, both refused) has none itself. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
