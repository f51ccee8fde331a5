import { createHash } from "node:crypto";
import { siteDigest } from "../site/nginx";
import { type NamedContainer, RESTART_POLICY, serves } from "../wanted/container";
import { canonical, type Plain } from "../wanted/identity";
import { dataIsNew } from "./data";
import type { Facts, FoundContainer } from "./facts";
import { generation, hasImage, isAtWork, isThere } from "./present";

/**
 * What was changed on the host since the last release, by hand or by an accident: found by comparing what the host told
 * with what the release recorded. Data, not words in a plan: a preview renders it, a release puts it right.
 */
export interface Drift {
  /** A service, `database` or `proxy`; undefined: of the host. */
  readonly service: string | undefined;
  readonly kind: DriftKind;
  /** What was found, for people: "is exited". */
  readonly what: string;
  /** What a release does about it: "started again". */
  readonly cure: string;
}

export type DriftKind =
  // Of a container that is recorded as serving.
  | "gone"
  | "stopped"
  | "paused"
  | "restarting"
  | "unhealthy"
  | "detached"
  | "limits"
  // Of all else. Data is a volume.
  | "data"
  | "interrupted"
  | "image"
  | "one-off"
  | "network"
  | "site"
  | "routes"
  | "crontab"
  | "stray";

/** What is wanted and serves already, so that it can be compared. */
export interface Expected {
  readonly containers: readonly NamedContainer[];
  /** The text of nginx.conf. */
  readonly site: string;
  /** The text of routes.js. */
  readonly script: string;
  /** Service -> container:port, as the last release left it. */
  readonly live: Readonly<Record<string, string>>;
}

/** In the order in which a person reads them: containers, images, networks, nginx's files, what is too much. */
export function findDrift(expected: Expected, facts: Facts): Drift[] {
  if (!facts.known) return [];
  return [
    ...interruption(facts),
    ...(facts.current?.objects ?? []).flatMap((object) => {
      const found = facts.containers.find(({ id }) => id === object.id);
      if (!serves(object.role)) return oneOffDrift(object.service, object.role, found);
      const spec = expected.containers.find(({ key }) => key === object.key)?.spec;
      const memory = facts.current?.record.containers[object.service]?.memory;
      return containerDrift(object.service, found, memory, spec?.networks ?? [], facts);
    }),
    ...dataDrift(expected, facts),
    ...imageDrift(expected, facts),
    ...networkDrift(expected, facts),
    ...fileDrift(expected, facts),
    ...cronDrift(facts),
    ...strays(expected, facts).map(({ id, key, state }): Drift => ({
      service: undefined,
      kind: "stray",
      what: `the container ${key === "" ? id.slice(0, 12) : key} (${state}) is not of the release that serves`,
      cure: "removed",
    })),
  ];
}

/** The networks of a container that it is not in, or that are gone. None where the host has not told. */
export function missingNetworks(
  found: FoundContainer | undefined,
  kinds: readonly string[],
  facts: Facts,
): string[] {
  return kinds.filter((kind) => {
    const wanted = facts.seen.get(`network:${kind}`)?.id;
    if (wanted === undefined || found?.networks === undefined) return false;
    const network = facts.networks.find(({ id }) => id === wanted);
    // One that was never started has no ID of its networks yet, only their names.
    return (
      network === undefined ||
      !found.networks.some(({ name, id }) => (id === "" ? name === network.name : id === network.id))
    );
  });
}

function containerDrift(
  service: string,
  found: FoundContainer | undefined,
  memory: number | undefined,
  networks: readonly string[],
  facts: Facts,
): Drift[] {
  const drift = (kind: DriftKind, what: string, cure: string): Drift[] => [{ service, kind, what, cure }];
  if (found === undefined || !isThere(found)) return drift("gone", "is gone", "made anew and started");
  return [
    ...stateDrift(service, found),
    ...missingNetworks(found, networks, facts).flatMap((kind) =>
      drift("detached", `is cut off from the network ${kind}`, "connected again"),
    ),
    // 0: the host's kernel cannot limit memory, so nobody has changed it.
    ...(memory === undefined || [undefined, 0, memory].includes(found.memory)
      ? []
      : drift("limits", `may use ${found.memory} MiB instead of ${memory}`, "limited again")),
    ...(found.restart === undefined || found.restart === RESTART_POLICY
      ? []
      : drift("limits", `has the restart policy ${found.restart}`, `set to ${RESTART_POLICY} again`)),
  ];
}

function stateDrift(service: string, { state, health }: FoundContainer): Drift[] {
  switch (state) {
    case "running":
      return health === "unhealthy"
        ? [
            {
              service,
              kind: "unhealthy",
              what: "is running but unhealthy",
              cure: "restarted, unless it recovers",
            },
          ]
        : [];
    case "paused":
      return [{ service, kind: "paused", what: "is paused", cure: "goes on" }];
    case "restarting":
      return [{ service, kind: "restarting", what: "restarts again and again", cure: "restarted" }];
    default:
      return [{ service, kind: "stopped", what: `is ${state}`, cure: "started again" }];
  }
}

/** One that is not running now is none; but Pulumi makes it anew, so the release must know of the new one. */
function oneOffDrift(service: string, role: string, found: FoundContainer | undefined): Drift[] {
  if (found !== undefined && isThere(found)) return [];
  const whose =
    role === "migrate"
      ? `${service}'s migration`
      : role === "job"
        ? `the job ${service}`
        : "who tells of jobs";
  const cure = role === "migrate" ? "made anew, and not run again" : "made anew";
  return [{ service, kind: "one-off", what: `the container of ${whose} is gone`, cure }];
}

/** The lines of the release that serves. */
function cronDrift({ cron, current }: Facts): Drift[] {
  if (cron?.state !== "other" || current === undefined) return [];
  const what =
    current.jobs.length === 0
      ? "there are lines of this stack in the crontab, and it has no jobs"
      : "the lines of the jobs are not in the crontab as they were written";
  return [{ service: undefined, kind: "crontab", what, cure: "written again" }];
}

/** A run in progress is not one that was killed. */
function interruption({ interrupted, active }: Facts): Drift[] {
  if (!interrupted || active !== undefined) return [];
  const what = "an earlier release was interrupted";
  return [{ service: undefined, kind: "interrupted", what, cure: "taken back or tidied first" }];
}

/** Volumes that served, are wanted, and are gone or begin anew. The proxy's holds no data. */
function dataDrift({ containers }: Expected, facts: Facts): Drift[] {
  return containers.flatMap(({ spec: { service, role, mounts } }): Drift[] => {
    if (!serves(role) || role === "proxy") return [];
    const { volumes: had = [], made } = facts.current?.record.containers[service] ?? {};
    return mounts
      .filter(({ type, source }) => type === "volume" && had.includes(source))
      .flatMap(({ source }): Drift[] => {
        const isGone = !facts.volumes.some(({ name }) => name === source);
        const before = made?.[source];
        const isNew =
          role === "database"
            ? dataIsNew(facts, source)
            : before !== undefined && before !== generation(facts, `volume:${source}`);
        if (!isGone && !isNew) return [];
        const what = isGone
          ? `the DATA of ${service} IS LOST: the volume ${source} is gone from the host`
          : `the data of ${service} is new: the volume ${source} was lost and made anew`;
        const empty = isGone ? "begins empty" : "goes on with it";
        const cure =
          role === "database"
            ? `${empty}, and every migration runs again (dumps are in backup/ of the stack's folder on the host)`
            : empty;
        return [{ service, kind: "data", what, cure }];
      });
  });
}

/** What serves runs on. One that is built again is remembered by a release, or it would be found changed once more. */
function imageDrift({ containers }: Expected, facts: Facts): Drift[] {
  const wanted = new Set(containers.map(({ spec }) => spec.image));
  const serving = Object.entries(facts.current?.record.containers ?? {});
  return serving.flatMap(([service, { image, build }]): Drift[] => {
    if (build === undefined || !wanted.has(image) || !facts.seen.has(`image:${image}`)) return [];
    const found = hasImage(facts, image);
    if (found === "intact") return [];
    const what = found === "absent" ? "the image is gone from the host" : "the image was changed by hand";
    return [{ service, kind: "image", what, cure: "built again" }];
  });
}

function networkDrift({ containers }: Expected, { seen, networks }: Facts): Drift[] {
  const kinds = new Set(containers.flatMap(({ spec }) => spec.networks));
  return [...kinds].sort().flatMap((kind): Drift[] => {
    const wanted = seen.get(`network:${kind}`)?.id;
    if (wanted === undefined || networks.some(({ id }) => id === wanted)) return [];
    return [{ service: undefined, kind: "network", what: `the network ${kind} is gone`, cure: "made anew" }];
  });
}

/** nginx's three files, and what it has loaded. A run in progress or one that was killed has files of its own. */
function fileDrift({ site, script, live }: Expected, facts: Facts): Drift[] {
  const { proxy, current } = facts;
  if (proxy === undefined || facts.active !== undefined || facts.interrupted) return [];
  const drift = (kind: "site" | "routes", what: string, cure = "installed again"): Drift[] => [
    { service: "proxy", kind, what, cure },
  ];
  const file = (name: string, text: string): Drift[] => {
    const found = proxy.files.get(name);
    if (found === undefined || found === sha256(text)) return [];
    return drift("site", `${name} ${found === "missing" ? "is gone" : "was edited by hand"}`);
  };
  // Another site is installed anyway, and what an older program wrote cannot be told from what was edited.
  const sameSite = current?.record.site === siteDigest(site);
  const files = sameSite ? [...file("nginx.conf", site), ...file("routes.js", script)] : [];
  const loaded =
    sameSite && files.length === 0 && !["", siteDigest(site)].includes(proxy.loaded)
      ? drift("site", "nginx runs with another configuration than its nginx.conf", "loaded again")
      : [];
  return [
    ...files,
    ...loaded,
    ...(sameRoutes(proxy.routes, live)
      ? []
      : drift("routes", `routes.json ${proxy.routes === undefined ? "is gone" : "was edited by hand"}`)),
  ];
}

function sameRoutes(text: string | undefined, live: Readonly<Record<string, string>>): boolean {
  try {
    const routes = JSON.parse(text ?? "") as { live?: Plain } | null;
    return canonical(routes?.live) === canonical(live);
  } catch {
    return false;
  }
}

/** What bears the stack's label and is neither what serves nor what a release of these containers would start. */
function strays({ containers: wanted }: Expected, { containers, current }: Facts): FoundContainer[] {
  const objects = current?.objects ?? [];
  const prepared = (key: string): boolean => {
    const serving = objects.find((one) => one.key === key);
    const isWanted = wanted.some((one) => one.key === key);
    return isWanted && !containers.some((one) => one.id === serving?.id && isThere(one));
  };
  return containers.filter(
    (one) => !objects.some(({ id }) => id === one.id) && !prepared(one.key) && !isAtWork(one),
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
