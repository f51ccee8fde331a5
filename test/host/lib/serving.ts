import type { World } from "./world";

/** What visitors and the next release meet: two worlds that are equal in this serve the same. */
export interface Serving {
  readonly running: readonly string[];
  /** What would not simply be there again after a restart of the machine. */
  readonly unusualPolicies: readonly string[];
  /** Undefined while no proxy runs: then nothing reads what lies in its volume. */
  readonly proxy:
    | {
        readonly routes: string | undefined;
        /** As in the volume, where a restart would find it, and as nginx has it loaded. */
        readonly site: string | undefined;
        readonly loadedSite: string | undefined;
        readonly script: string | undefined;
        readonly loadedScript: string | undefined;
      }
    | undefined;
  readonly current: string | undefined;
  /** Of the database that runs. */
  readonly password: string | undefined;
  readonly journal: string | undefined;
  readonly lockIsFree: boolean;
}

export function serving(world: World): Serving {
  const running = world.containers().filter(({ state }) => state === "running");
  const proxy = running.find(({ key }) => key.startsWith("proxy-"));
  return {
    running: running.map(({ key }) => key).sort(),
    unusualPolicies: running
      .map(({ id, key }) => `${key} ${(world.read(`containers/${id}/restart`) ?? "").trim()}`)
      .filter((policy) => !policy.endsWith(" always")),
    proxy: proxy && {
      routes: world.read("volumes/proxy/routes.json"),
      site: world.read("volumes/proxy/nginx.conf"),
      loadedSite: world.read(`containers/${proxy.id}/loaded`),
      script: world.read("volumes/proxy/routes.js"),
      loadedScript: world.read(`containers/${proxy.id}/loaded.js`),
    },
    // Without the run that recorded it: another one may record the same.
    current: world.read("state/test/current")?.replace(/^run .*\n/m, ""),
    password: running.some(({ key }) => key.startsWith("database-"))
      ? world.read("volumes/database/password")
      : undefined,
    journal: world.read("state/test/journal"),
    lockIsFree: world.lockIsFree(),
  };
}

/** Where a service's requests go. */
export function liveRoutes(world: World): Record<string, string> {
  const routes = JSON.parse(world.read("volumes/proxy/routes.json") ?? "{}") as {
    live?: Record<string, string>;
  };
  return routes.live ?? {};
}

/** What must hold after every run, whatever happened in it. */
export function violations(world: World): string[] {
  return [
    ...world.lines("refused"),
    ...world.lines("killed"),
    ...(world.faultHappened ? [] : ["the fault that the test asked for did not happen"]),
  ];
}
