import type { Config } from "../plan/config/schema";
import { fullName, type StackNames } from "../plan/wanted/names";

/** What was asked and what came of it. */
export interface Finding {
  readonly what: string;
  readonly outcome: "pass" | "warn" | "stop";
  /** What was found; and, unless it passes, what to do. */
  readonly words: string;
}

/** What the deploying machine has. */
export interface Here {
  /** Seconds since the epoch when the host was asked, and when it had answered. */
  readonly asked: readonly [number, number];
  readonly node: string;
  readonly pulumi: string | undefined;
  /** Why no image can be built here; undefined: an engine answers. */
  readonly engineProblem: string | undefined;
  /** The addresses of a name; [] where it has none. The host's own first. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** The name or address by which the host is reached; undefined: it is this machine. */
  readonly host: string | undefined;
}

const OLDEST_DOCKER = [20, 10];
/** MiB. */
const LEAST_DISK = 2048;
/** Seconds. */
const MOST_APART = 30;

/** @param answer of host/doctor.sh */
export function diagnose(answer: string, here: Here, config: Config, names: StackNames): Finding[] {
  const lines = answer.split("\n");
  const all = (word: string) =>
    lines.flatMap((line) =>
      line === word ? [""] : line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [],
    );
  const one = (word: string) => all(word)[0];
  return [
    ...ofHere(here, config),
    pass("ssh", `${config.host.address} answers as ${one("user") ?? "?"}`),
    ...ofTools(all("lacks")),
    ...ofDocker(one("docker"), one("refused"), one("user") ?? ""),
    ...ofBuilds(one("buildx") !== undefined, config),
    one("writes") !== undefined
      ? pass("state", `${one("writes") ?? ""} can be written`)
      : stop(
          "state",
          `${one("writes-not") ?? ""} cannot be written as ${one("user") ?? ""}: create the folder for this user, or set host.stateDir`,
        ),
    ...ofMemory(one("memory"), config),
    ...ofDisk(one("disk")),
    ...ofClock(one("clock"), here.asked),
    ...ofPorts(all("held"), config, names),
    ...ofNames(here, config),
    ofCron(one("cron") !== undefined, config),
  ];
}

function ofHere({ node, pulumi, engineProblem }: Here, config: Config): Finding[] {
  const [major = 0, minor = 0] = node.replace(/^v/, "").split(".").map(Number);
  const builds = Object.values(config.services).some(({ source }) => source !== undefined);
  const remote = config.host.address !== "local";
  return [
    major > 20 || (major === 20 && minor >= 19)
      ? pass("node here", node)
      : stop("node here", `${node} is too old: 20.19 or newer is needed`),
    pulumi === undefined
      ? stop("pulumi here", "is not on PATH: https://www.pulumi.com/docs/install/")
      : pass("pulumi here", pulumi),
    ...(!builds || !remote || config.build === "host"
      ? []
      : [
          engineProblem === undefined
            ? pass("docker here", "can build where the host has no room")
            : (config.build === "local" ? stop : warn)(
                "docker here",
                `${engineProblem}: images can be built on the host only, which takes memory there`,
              ),
        ]),
  ];
}

function ofCron(isThere: boolean, { jobs }: Config): Finding {
  const cure = "(Debian: apt install cron)";
  if (isThere) return pass("cron", "is there");
  return Object.keys(jobs).length === 0
    ? warn("cron", `there is no cron: jobs would need one ${cure}`)
    : stop("cron", `there is no cron, and jobs need one ${cure}`);
}

function ofTools(lacks: readonly string[]): Finding[] {
  const others = lacks.filter((tool) => tool !== "docker");
  if (others.length === 0) return [pass("programs", "all that a release uses are there")];
  return [
    stop(
      "programs",
      `the host lacks ${others.join(", ")}: install coreutils, findutils, util-linux and awk, or busybox`,
    ),
  ];
}

function ofDocker(found: string | undefined, refused: string | undefined, user: string): Finding[] {
  if (found === undefined) {
    const words = refused ?? "";
    if (/permission denied/i.test(words))
      return [
        stop(
          "docker",
          `${user} may not use Docker: on the host, as root: usermod -aG docker ${user}, and log in anew`,
        ),
      ];
    if (/not found|no such file/i.test(words) && !/daemon/i.test(words))
      return [
        stop(
          "docker",
          "is not installed: https://docs.docker.com/engine/install/ (Debian: apt install docker.io)",
        ),
      ];
    return [stop("docker", `${words}: on the host, as root: systemctl enable --now docker`)];
  }
  const [major = 0, minor = 0] = found.split(".").map(Number);
  const [least = 0, leastMinor = 0] = OLDEST_DOCKER;
  return [
    major > least || (major === least && minor >= leastMinor)
      ? pass("docker", found)
      : stop("docker", `${found} is too old: ${OLDEST_DOCKER.join(".")} or newer is needed`),
  ];
}

/** Only docker's own client on the host needs it, which builds with secrets and logins. */
function ofBuilds(buildx: boolean, { services, registries, build }: Config): Finding[] {
  const secrets = Object.values(services).some((one) => Object.keys(one.buildSecrets).length > 0);
  if (build === "local" || (!secrets && Object.keys(registries).length === 0)) return [];
  return [
    buildx
      ? pass("buildx", "is there, for builds with secrets and logins")
      : warn(
          "buildx",
          "is not there: docker 23 and later wants it for buildSecrets and registries (Debian: docker-buildx)",
        ),
  ];
}

function ofMemory(found: string | undefined, config: Config): Finding[] {
  if (found === undefined) return [];
  const [total = 0, free = 0] = found.split(" ").map((kib) => Math.floor(Number(kib) / 1024));
  const limits =
    Object.values(config.services).reduce((sum, { memory, replicas }) => sum + memory * replicas, 0) +
    (config.database?.memory ?? 0) +
    config.proxy.memory;
  const has = Math.min(total, config.host.memory ?? total);
  return [
    limits <= has
      ? pass("memory", `${total} MiB, ${free} of them free; the stack's limits are ${limits}`)
      : warn(
          "memory",
          `${has} MiB, and the stack's limits are ${limits}: lower some, or it lives by what is really used`,
        ),
  ];
}

function ofDisk(found: string | undefined): Finding[] {
  if (found === undefined) return [];
  const mib = Math.floor(Number(found) / 1024);
  return [
    mib >= LEAST_DISK
      ? pass("disk", `${mib} MiB free`)
      : warn(
          "disk",
          `${mib} MiB free: less than ${LEAST_DISK} are soon used up by images (docker builder prune)`,
        ),
  ];
}

function ofClock(found: string | undefined, [from, to]: readonly [number, number]): Finding[] {
  if (found === undefined) return [];
  const clock = Number(found);
  const apart = clock < from ? from - clock : clock > to ? clock - to : 0;
  return [
    apart <= MOST_APART
      ? pass("clock", "agrees with this machine's")
      : warn("clock", `is ${apart} s off from this machine's: timedatectl set-ntp true`),
  ];
}

function ofPorts(held: readonly string[], config: Config, names: StackNames): Finding[] {
  return sitePorts(config).map((port) => {
    const holder = held.find((one) => one.startsWith(`${port} `));
    if (holder === undefined) return pass(`port ${port}`, "is free");
    const [, kind, name = "", stack = ""] = holder.split(" ");
    if (kind === "container" && stack === fullName(names)) return pass(`port ${port}`, "is this stack's");
    return stop(
      `port ${port}`,
      kind === "container"
        ? `is held by the container ${name}: docker stop ${name}, or another port (http.port, tls.port)`
        : `is held by ${name === "" ? "a process of the host" : name}: stop it there (as root: ss -ltnp), or another port`,
    );
  });
}

/** Each host name should lead to the host. Behind a load balancer or a CDN it does not, and may be right. */
function ofNames({ addresses, host }: Here, config: Config): Finding[] {
  if (host === undefined) return [];
  const own = addresses.get(host) ?? [];
  return hostNames(config).map((name) => {
    const found = addresses.get(name) ?? [];
    const what = `DNS ${name}`;
    if (found.length === 0) return warn(what, `is not known: point it to ${own[0] ?? host}`);
    return found.some((one) => own.includes(one))
      ? pass(what, `leads to ${found.join(", ")}`)
      : warn(
          what,
          `leads to ${found.join(", ")} and not to ${own.join(", ")}: right only where another proxy is in front`,
        );
  });
}

/** The ports of the host that nginx is to have. */
export function sitePorts({ http, tls }: Config): number[] {
  return [http.port, ...(tls === undefined ? [] : [tls.port])];
}

/** All names of the site; of a pattern there is nothing to ask. */
export function hostNames({ domain, redirects, services }: Config): string[] {
  const own = Object.values(services).flatMap(({ host }) => host);
  return [...new Set([...domain, ...own, ...Object.keys(redirects)])].filter((name) => !name.startsWith("*"));
}

function pass(what: string, words: string): Finding {
  return { what, outcome: "pass", words };
}
function warn(what: string, words: string): Finding {
  return { what, outcome: "warn", words };
}
function stop(what: string, words: string): Finding {
  return { what, outcome: "stop", words };
}
