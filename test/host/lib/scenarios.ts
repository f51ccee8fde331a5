import { routesScript } from "../../../host/bundle";
import type { Config } from "../../../plan/config/schema";
import { deployed, type Prepared, prepare } from "./release";
import type { ShellName } from "./shells";
import { apiService, config, plain, stored, webService, workerService } from "./stacks";
import { World } from "./world";

/** A change of what is wanted, from what serves: one for each shape that a plan can have. */
export interface Scenario {
  readonly name: string;
  /** Undefined: nothing serves yet. */
  readonly from: Config | undefined;
  readonly to: Config;
  /** What happened on the host in between, without a release. */
  readonly meanwhile?: (world: World, before: Prepared) => void;
  /** The text of host/proxy/routes.js of the newer program. */
  readonly script?: string;
}

/** A host before the release, and the release. */
export interface Stage {
  readonly world: World;
  readonly before: Prepared | undefined;
  readonly next: Prepared;
}

const stopFirst = (web: number, api: number): Config =>
  config({
    services: {
      web: { ...webService(web), needs: ["api"] },
      api: { ...apiService(api), order: "stop-first" },
    },
    smoke: [{ path: "/api/things", contains: `api ${api}` }],
  });

const withWorker = plain(1, 1, {
  services: { web: webService(1), api: apiService(1), worker: workerService() },
});

export const SCENARIOS = {
  first: { name: "the first release", from: undefined, to: stored() },
  one: { name: "one service changes", from: plain(), to: plain(2) },
  both: { name: "both services change", from: plain(), to: plain(2, 2) },
  exchange: { name: "a service is stopped first", from: stopFirst(1, 1), to: stopFirst(2, 2) },
  database: { name: "the database changes", from: stored(), to: stored(1, { memory: 96 }) },
  password: {
    name: "the database's password changes",
    from: stored(),
    to: stored(1, { passwordVersion: 2 }),
  },
  proxy: {
    name: "the proxy changes",
    from: plain(),
    to: plain(1, 1, { proxy: { memory: 72, maxBody: 32 } }),
  },
  site: {
    name: "only the site's configuration changes",
    from: plain(),
    to: plain(1, 1, { proxy: { maxBody: 32 } }),
  },
  script: {
    name: "the proxy's script changes",
    from: plain(),
    to: plain(2),
    script: `${routesScript()}// a newer program\n`,
  },
  removed: { name: "a service is no longer wanted", from: withWorker, to: plain() },
  repair: {
    name: "a service was stopped by hand",
    from: plain(),
    to: plain(),
    meanwhile: (world, { keys }) => {
      world.putState(keys.find((key) => key.startsWith("api-")) ?? "", "exited 0 0 false");
    },
  },
  drift: {
    name: "a service was stopped and cut off, another limited otherwise by hand",
    from: plain(),
    to: plain(),
    meanwhile: (world, { keys }) => {
      const folderOf = (service: string): string =>
        world.containerOf(keys.find((key) => key.startsWith(`${service}-`)) ?? "");
      world.write(`${folderOf("web")}/state`, "exited 0 0 false\n");
      world.write(`${folderOf("web")}/networks`, "");
      world.write(`${folderOf("api")}/memory`, `${1024 ** 3}\n`);
    },
  },
  migration: { name: "a service with a migration changes", from: stored(), to: stored(2) },
} satisfies Record<string, Scenario>;

/** Hosts on which a config serves, each made once: a test gets a copy. */
const served = new Map<string, Promise<{ world: World; before: Prepared }>>();

export async function serves(
  config: Config,
  shell: ShellName = "dash",
): Promise<{ world: World; before: Prepared }> {
  const key = JSON.stringify([shell, config]);
  const made =
    served.get(key) ??
    (async () => {
      const world = World.create(shell);
      return { world, before: await deployed(world, config) };
    })();
  served.set(key, made);
  const { world, before } = await made;
  return { world: world.clone(), before };
}

export async function stage(scenario: Scenario, shell: ShellName = "dash"): Promise<Stage> {
  const { world, before } =
    scenario.from === undefined
      ? { world: World.create(shell), before: undefined }
      : await serves(scenario.from, shell);
  if (before) scenario.meanwhile?.(world, before);
  const next = prepare(world, scenario.to, scenario.script);
  for (const list of ["calls", "asked"]) world.write(list, "");
  return { world, before, next };
}
