const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration as Go writes it, `1m30s` or `500ms`, in nanoseconds. Throws on anything else. */
export function nanoseconds(duration: string): number {
  if (duration === "0") return 0;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== duration) {
    throw new Error(`healthcheck: ${duration} is not a duration such as 500ms, 10s or 1m30s`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/** The same in the form that Go gives it: 120s is 2m0s, 1500ms is 1.5s. */
export function inGoForm(duration: string): string {
  const all = nanoseconds(duration);
  if (all === 0) return "0s";
  if (all < 1e9) return all < 1e6 ? `${all / 1e3}µs` : `${all / 1e6}ms`;
  const [hours, minutes] = [Math.floor(all / 3600e9), Math.floor(all / 60e9) % 60];
  const large = `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}`;
  return `${large}${(all % 60e9) / 1e9}s`;
}
