import type { Config } from "../config/schema";
import { dataIsNew } from "../found/data";
import { type Drift, type DriftKind, findDrift, missingNetworks } from "../found/drift";
import type { Facts } from "../found/facts";
import { isAtWork, isThere } from "../found/present";
import type { Current } from "../found/record";
import { type NamedContainer, serves } from "../wanted/container";
import { leaves } from "../wanted/identity";
import type { Change, Wanted } from "./plan";

type Recorded = Current["objects"][number];

/** A container that is wanted, beside what is there in its place. */
export interface Item extends Wanted {
  readonly name: string;
  readonly key: string;
  readonly kind: Exclude<Change["kind"], "remove">;
  readonly old: Recorded | undefined;
  /** What is there of the one that serves; undefined: it is gone. */
  readonly found: Facts["containers"][number] | undefined;
  /** It takes nobody's place: there is no old one, or it has ended, or it is this very container. */
  readonly vacant: boolean;
  /** What this plan does to have it running: start it, or bring back to health what runs. */
  readonly cure: "start" | "revive" | undefined;
  readonly address: string | undefined;
}

/** What is wanted against what is on the host, container by container. It only answers; plan/release/planner.ts decides. */
export class Situation {
  readonly items: readonly Item[];
  /** What serves and is not wanted any more. */
  readonly gone: readonly Recorded[];
  readonly drift: readonly Drift[];
  /** Where requests go as the last release left it: service -> container:port. */
  readonly live: Readonly<Record<string, string>>;
  /** Where the database's data will be. */
  private readonly dataVolume: string | undefined;

  constructor(
    readonly config: Config,
    wanted: readonly Wanted[],
    readonly facts: Facts,
    site: string,
    routesScript: string,
    beside: readonly NamedContainer[],
  ) {
    const serving = (facts.current?.objects ?? []).filter(({ role }) => serves(role));
    this.live = Object.fromEntries(
      serving.flatMap((object) => {
        const address = addressOf(object.key, object.health);
        return address === undefined ? [] : [[object.service, address]];
      }),
    );
    const containers = wanted.flatMap(({ container, migration }) =>
      migration ? [container, migration] : [container],
    );
    this.drift = findDrift(
      { containers: [...containers, ...beside], site, script: routesScript, live: { ...this.live } },
      facts,
    );
    const database = wanted.find(({ container }) => container.spec.role === "database");
    this.dataVolume = database?.container.spec.mounts[0]?.source;
    this.items = wanted.map((one) => this.item(one, serving));
    const names = new Set(this.items.map(({ name }) => name));
    this.gone = serving.filter(({ service }) => !names.has(service));
  }

  /** The one database, or the one proxy. */
  the(role: "database" | "proxy"): Item | undefined {
    return this.items.find(({ container }) => container.spec.role === role);
  }

  get services(): readonly Item[] {
    return this.items.filter(({ container }) => container.spec.role === "service");
  }

  /** Where requests go when all is done. */
  get final(): Record<string, string> {
    return Object.fromEntries(
      this.items.flatMap(({ name, address }) => (address === undefined ? [] : [[name, address]])),
    );
  }

  /** Whether the host is exactly as the record says. */
  undisturbed(): boolean {
    const known = new Set(this.facts.current?.objects.map(({ id }) => id));
    return (
      this.drift.length === 0 &&
      this.facts.containers.every((one) => known.has(one.id) || isAtWork(one)) &&
      this.items.every(({ kind }) => kind === "same") &&
      this.gone.length === 0
    );
  }

  private item(one: Wanted, serving: readonly Recorded[]): Item {
    const { spec, key } = one.container;
    const name = spec.service;
    const old = serving.find(({ service }) => service === name);
    const found = this.facts.containers.find((each) => each.id === old?.id && isThere(each));
    const drifted = this.drifted(name, "gone", "stopped", "paused", "restarting", "unhealthy", "detached");
    const limits = this.drifted(name, "limits");
    const offline = one.migrationKind === "offline" && this.pendingMigration(one) !== undefined;
    const kind =
      old === undefined
        ? "new"
        : old.key !== key
          ? "replace"
          : drifted || limits || offline
            ? "repair"
            : "same";
    const sick = kind === "repair" && found !== undefined && ["running", "restarting"].includes(found.state);
    // Its migration stops it, whatever else: it is started again.
    const cure = kind === "same" ? undefined : !sick || offline ? "start" : drifted ? "revive" : undefined;
    const ended = found === undefined || this.rests(found);
    const vacant = kind === "replace" ? ended : cure === "start";
    const address = spec.health.kind === "http" ? `${key}:${spec.health.port}` : undefined;
    const order = offline ? ("stop-first" as const) : one.order;
    return { ...one, order, name, key, kind, old, found, vacant, cure, address };
  }

  /**
   * A migration runs once: the one of the release that serves has done its work, unless the data is new: elsewhere, or because it
   * was lost.
   */
  pendingMigration({ migration, container }: Wanted): NamedContainer | undefined {
    const { current } = this.facts;
    const isNew =
      (this.dataVolume !== undefined && dataIsNew(this.facts, this.dataVolume)) ||
      // One that keeps data of its own, such as SQLite's.
      this.drifted(container.spec.service, "data");
    const done = current?.objects.some(({ key }) => key === migration?.key) ?? false;
    return done && !isNew ? undefined : migration;
  }

  /** The volume that serves is wanted, and begins anew. */
  get dataWasLost(): boolean {
    return this.drifted("database", "data");
  }

  drifted(service: string, ...kinds: DriftKind[]): boolean {
    return this.drift.some((one) => one.service === service && kinds.includes(one.kind));
  }

  /** A network that is made anew has nobody in it; nor has one that a container was cut off from. */
  lacksNetwork({ key, spec }: Wanted["container"]): boolean {
    const found = this.facts.containers.find(({ id }) => id === this.facts.seen.get(key)?.id);
    const remade = this.drift.some(({ kind }) => kind === "network");
    return remade || missingNetworks(found, spec.networks, this.facts).length > 0;
  }

  isRevived(key: string): boolean {
    return this.items.some((one) => one.cure === "revive" && one.key === key);
  }

  isCured(service: string): boolean {
    return this.items.some(
      ({ name, kind, cure }) => name === service && kind === "repair" && cure !== undefined,
    );
  }

  /** The services that run and use the database: as they were recorded, and not as they are wanted. */
  usersOfDatabase(): readonly Recorded[] {
    return (this.facts.current?.objects ?? []).filter(({ id, role, service }) => {
      if (role !== "service" || !this.isUp(id)) return false;
      const parts = Object.entries(this.facts.current?.record.containers[service]?.parts ?? {});
      return parts.some(([path, text]) => path.startsWith("networks.") && text === DATA_NETWORK);
    });
  }

  private isUp(id: string): boolean {
    return this.facts.containers.some((one) => one.id === id && !this.rests(one));
  }

  /**
   * Whether it does nothing when this release begins. One that broke off is taken back first: what served before runs
   * again by then, and has its volumes and its memory, whatever the host told now.
   */
  private rests({ state }: Facts["containers"][number]): boolean {
    return hasEnded(state) && !this.facts.interrupted;
  }

  /** Others that have a volume which only this one may write to, or a port of the host: theirs until this release. */
  holders({ name, exclusive }: Item): readonly Recorded[] {
    const { current } = this.facts;
    return (current?.objects ?? []).filter(({ service, role, id }) => {
      if (service === name || !serves(role)) return false;
      const { volumes = [], ports = [] } = current?.record.containers[service] ?? {};
      const has = [...volumes, ...ports];
      const stays = this.items.some((one) => one.name === service && one.kind !== "replace");
      return this.isUp(id) && !stays && has.some((volume) => exclusive.includes(volume));
    });
  }

  isWanted(service: string): boolean {
    return this.items.some(({ name }) => name === service);
  }

  /** MiB: its limit, as the last release recorded it. */
  recordedMemory(service: string): number {
    return this.facts.current?.record.containers[service]?.memory ?? 0;
  }
}

/** How a record tells that a container was on the database's network. */
const [DATA_NETWORK] = Object.values(leaves("data"));

export function hasEnded(state: string): boolean {
  return ["created", "exited", "dead"].includes(state);
}

/** key:port of a recorded container that is asked over HTTP. */
function addressOf(key: string, health: string): string | undefined {
  const port = /^http:(\d+):/.exec(health)?.[1];
  return port === undefined ? undefined : `${key}:${port}`;
}
