import type { Config } from "./config/schema";
import type { NamedContainer } from "./container";
import { type Drift, type DriftKind, findDrift, missingNetworks } from "./drift";
import { type Current, type Facts, hasImage, isThere, type ReleaseRecord } from "./facts";
import { canonical, digest, leaves } from "./identity";
import { type Budget, budget, chooseOrders, headroom, mostAtOnce, needAtStart, type Order } from "./memory";
import { routesFile, siteConfig, siteDigest } from "./nginx";

/**
 * A release as data: which verbs the runner does, in which order. A pure function of what is wanted (config), what
 * the host told (facts) and nothing else; preview prints it, host/run.sh does it.
 */
export interface Plan {
  readonly release: string;
  /** What served when the plan was made, "none 0" for nothing: the runner refuses a plan that was made from another. */
  readonly base: string;
  /** Grows whenever the host is not as wanted: the release command runs when it changes. */
  readonly epoch: number;
  readonly steps: readonly Step[];
  readonly texts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** MiB that must be free on the host when a container is started, by its key; none where the host told nothing. */
  readonly needs: Readonly<Record<string, number>>;
  /** MiB left by all limits at the moment when the most runs, migrations too; undefined: the host told nothing. */
  readonly spare: number | undefined;
  readonly changes: readonly Change[];
  /** What is on the host otherwise than the last release left it: this one puts it right. */
  readonly drift: readonly Drift[];
  readonly record: ReleaseRecord;
  /** Why it cannot be done as configured, each with a cure. */
  readonly refusals: readonly string[];
}

export interface Step {
  readonly verb: string;
  readonly arguments: readonly string[];
}

/** What happens to one container. */
export interface Change {
  readonly service: string;
  readonly kind: "same" | "new" | "repair" | "replace" | "remove";
  readonly order?: Order;
  /** MiB left if it starts beside the old version, when the most runs; as far as the host told. */
  readonly headroom?: number;
  readonly memory: number;
}

/** A container that is wanted, and what a release must know besides its description. */
export interface Wanted {
  readonly container: NamedContainer;
  readonly migration: NamedContainer | undefined;
  readonly order: "auto" | Order;
  /** The volumes that only one container may write to. */
  readonly exclusive: readonly string[];
  readonly needs: readonly string[];
}

/**
 * @param wanted every container in an order in which each comes after what it needs: database, proxy, services
 * @param routesScript the text of host/proxy/routes.js
 */
export function planRelease(
  config: Config,
  wanted: readonly Wanted[],
  record: Omit<ReleaseRecord, "site">,
  facts: Facts,
  routesScript: string,
): Plan {
  const site = siteConfig(config, routesScript);
  const full: ReleaseRecord = { ...record, site: siteDigest(site) };
  const release = digest({
    keys: wanted.flatMap(({ container, migration }) => [container.key, migration?.key ?? ""]),
    site: full.site,
    smoke: config.smoke,
  });
  const planner = new Planner(config, wanted, facts, site, routesScript);
  const steps = planner.plan();
  const settled =
    facts.current?.release === release &&
    !facts.interrupted &&
    planner.undisturbed() &&
    imagesUndisturbed(full, facts);
  const epoch = facts.current?.epoch ?? 0;
  return {
    release,
    base: facts.current === undefined ? "none 0" : `${facts.current.release} ${facts.current.epoch}`,
    epoch: settled ? epoch : epoch + 1,
    steps,
    texts: planner.texts,
    labels: planner.labels,
    needs: planner.needs(),
    spare: planner.spare(),
    changes: planner.changes,
    drift: planner.drift,
    record: full,
    refusals: [...versionRefusals(full, facts), ...planner.refusals],
  };
}

/** One that is built again is remembered by a release, or the next `up` would find it changed once more. */
function imagesUndisturbed({ containers }: ReleaseRecord, facts: Facts): boolean {
  const built = Object.values(containers).filter(({ build }) => build !== undefined);
  return built.every(({ image }) => !facts.seen.has(`image:${image}`) || hasImage(facts, image) === "intact");
}

/** PostgreSQL of one major version does not read the data of another. */
function versionRefusals({ database: wanted }: ReleaseRecord, { current }: Facts): string[] {
  const before = current?.record.database;
  if (wanted === undefined || before === undefined) return [];
  if (wanted.volume !== before.volume || wanted.version === before.version) return [];
  return [
    `database.version: the volume ${before.volume} holds data of PostgreSQL ${before.version}, ` +
      `which ${wanted.version} cannot read. Keep ${before.version}; or name a new database.volume, deploy, and move ` +
      "the data over with pg_dump and pg_restore",
  ];
}

/** Containers to wait for first come first. Config has no circle (config/check.ts). */
export function byNeeds(config: Config): string[] {
  const sorted: string[] = [];
  const visit = (name: string) => {
    if (sorted.includes(name)) return;
    for (const need of config.services[name]?.needs ?? []) if (need !== "database") visit(need);
    sorted.push(name);
  };
  Object.keys(config.services).sort().forEach(visit);
  return sorted;
}

interface Item extends Wanted {
  readonly name: string;
  readonly key: string;
  readonly kind: Exclude<Change["kind"], "remove">;
  readonly old: Current["objects"][number] | undefined;
  /** What is there of the one that serves; undefined: it is gone. */
  readonly found: Facts["containers"][number] | undefined;
  /** It takes nobody's place: there is no old one, or it has ended, or it is this very container. */
  readonly vacant: boolean;
  /** What this plan does to have it running: start it, or bring back to health what runs. */
  readonly cure: "start" | "revive" | undefined;
  readonly address: string | undefined;
}

class Planner {
  readonly steps: Step[] = [];
  readonly texts: Record<string, string> = {};
  readonly labels: Record<string, string> = {};
  readonly changes: Change[] = [];
  readonly refusals: string[] = [];
  readonly drift: readonly Drift[];
  private readonly items: Item[];
  private readonly gone: Current["objects"];
  private readonly budget: Budget | undefined;
  private live: Record<string, string>;
  /** Where requests go that have waited in vain: to what served before. */
  private fallback: Record<string, string> = {};
  private readonly firstFinal: Record<string, string>;
  private siteInstalled = false;
  /** Old one, new one: while a restart of the machine would bring back the old one. */
  private sheltered: (readonly [old: string, by: string])[] = [];
  /** MiB: the limits of all that runs, at the moment when the most does. */
  private most = 0;

  constructor(
    private readonly config: Config,
    wanted: readonly Wanted[],
    private readonly facts: Facts,
    private readonly site: string,
    private readonly routesScript: string,
  ) {
    const serving = (facts.current?.objects ?? []).filter(({ role }) => role !== "migrate");
    this.live = Object.fromEntries(
      serving.flatMap((object) => {
        const address = addressOf(object.key, object.health);
        return address === undefined ? [] : [[object.service, address]];
      }),
    );
    this.drift = findDrift(
      {
        containers: wanted.flatMap(({ container, migration }) =>
          migration ? [container, migration] : [container],
        ),
        site,
        script: routesScript,
        live: { ...this.live },
      },
      facts,
    );
    this.items = wanted.map((one) => this.item(one, serving));
    const names = new Set(this.items.map(({ name }) => name));
    this.gone = serving.filter(({ service }) => !names.has(service));
    this.budget = budget(facts, config.host.memory);
    this.firstFinal = Object.fromEntries(
      this.items.flatMap(({ name, address }) => (address === undefined ? [] : [[name, address]])),
    );
  }

  /** Whether the host is exactly as the record says. */
  undisturbed(): boolean {
    const known = new Set(this.facts.current?.objects.map(({ id }) => id));
    return (
      this.drift.length === 0 &&
      this.facts.containers.every(({ id }) => known.has(id)) &&
      this.items.every(({ kind }) => kind === "same") &&
      this.gone.length === 0
    );
  }

  plan(): Step[] {
    this.reattach();
    // The proxy first: health is asked from inside it, and requests that must wait, wait in it.
    this.proxy();
    this.mendSite();
    this.database();
    const services = this.items.filter(({ container }) => container.spec.role === "service");
    for (const { name, kind, container } of services.filter(({ cure }) => cure !== "start")) {
      this.changes.push({ service: name, kind, memory: container.spec.memory });
    }
    this.migrate(services);
    const started = services.filter(({ cure }) => cure === "start");
    const orders = this.orders(started);
    // One that has no place of its own yet takes that of a holder when it is its turn: others may need it.
    const instead = started.filter(({ name, vacant }) => !vacant && orders.get(name) === "stop-first");
    const before = services.filter((one) => one.cure !== undefined && !instead.includes(one));
    this.startBeside(before);
    for (const item of instead) this.exchange(item);
    this.prove([...before, ...instead]);
    this.do("record");
    this.tidy([...before, ...instead]);
    return this.steps;
  }

  private item(one: Wanted, serving: Current["objects"]): Item {
    const { spec, key } = one.container;
    const name = spec.service;
    const old = serving.find(({ service }) => service === name);
    const found = this.facts.containers.find((each) => each.id === old?.id && isThere(each));
    const drifted = this.drifted(name, "gone", "stopped", "paused", "restarting", "unhealthy", "detached");
    const limits = this.drifted(name, "limits");
    const kind =
      old === undefined ? "new" : old.key !== key ? "replace" : drifted || limits ? "repair" : "same";
    const sick = kind === "repair" && found !== undefined && ["running", "restarting"].includes(found.state);
    const cure = kind === "same" ? undefined : !sick ? "start" : drifted ? "revive" : undefined;
    const ended = found === undefined || hasEnded(found.state);
    const vacant = kind === "replace" ? ended : cure === "start";
    const address = spec.health.kind === "http" ? `${key}:${spec.health.port}` : undefined;
    return { ...one, name, key, kind, old, found, vacant, cure, address };
  }

  private drifted(service: string, ...kinds: DriftKind[]): boolean {
    return this.drift.some((one) => one.service === service && kinds.includes(one.kind));
  }

  private do(verb: string, ...args: string[]): void {
    this.steps.push({ verb, arguments: args });
  }

  private start(item: Item): void {
    this.attach(item);
    this.do("start", item.key);
  }

  /** What runs is connected and limited again before anything else: all that follows may need it. */
  private reattach(): void {
    for (const item of this.items) {
      if (item.kind !== "repair" || item.found === undefined) continue;
      if (item.cure === "revive") this.attach(item);
      if (this.drifted(item.name, "limits")) this.do("limit", item.key, String(item.container.spec.memory));
    }
  }

  /** A network that is made anew has nobody in it; nor has one that a container was cut off from. */
  private attach({ container: { key, spec } }: Pick<Item, "container">): void {
    const found = this.facts.containers.find(({ id }) => id === this.facts.seen.get(key)?.id);
    const remade = this.drift.some(({ kind }) => kind === "network");
    if (remade || missingNetworks(found, spec.networks, this.facts).length > 0) this.do("attach", key);
  }

  /** Brings back to health what runs: by itself, now that what it needs is back, or by a restart. */
  private revive({ name, key, needs }: Item): void {
    const helped = this.drifted(name, "detached") || needs.some((need) => this.isCured(need));
    this.do("revive", key, helped ? "10" : "2");
  }

  private isRevived(key: string): boolean {
    return this.items.some((one) => one.cure === "revive" && one.key === key);
  }

  private isCured(service: string): boolean {
    return this.items.some(
      ({ name, kind, cure }) => name === service && kind === "repair" && cure !== undefined,
    );
  }

  private database(): void {
    const item = this.items.find(({ container }) => container.spec.role === "database");
    if (item === undefined) return;
    const { key, old, kind, cure, found } = item;
    this.tellOne(item);
    if (cure === undefined) return;
    const exchange = kind === "replace" && old !== undefined && found !== undefined;
    const waits = exchange || cure === "revive";
    const served = { ...this.live };
    const users = waits ? this.usersOfDatabase() : [];
    if (exchange) {
      // Only one that runs can be dumped.
      if (hasEnded(found.state) || found.state === "paused") {
        this.do("start", old.key);
        this.do("healthy", old.key);
      }
      this.do("backup", old.key);
      this.shelter(old.key, key);
    }
    this.holdFor(users);
    if (exchange) this.do("stop", old.key);
    if (cure === "revive") this.revive(item);
    else this.start(item);
    this.do("healthy", key);
    this.do("password", key);
    for (const user of users) {
      const stays = this.items.some((one) => one.cure === undefined && one.key === user.key);
      // One that is replaced a moment later must find the database again, but what ails it may be why it is replaced.
      if (stays) this.do("healthy", user.key);
      else if (served[user.service] !== undefined && !this.isRevived(user.key)) this.do("rejoin", user.key);
    }
    if (canonical(served) !== canonical(this.live)) {
      this.live = served;
      this.routes("route", served, {}, "requests go on");
    }
    // Until here a reboot brings the old one back; on the same data, with the same logins, either will do.
    this.promote(key);
  }

  /** Requests to those that use the database wait while it is away, and those in flight end first. */
  private holdFor(users: Current["objects"]): void {
    const waiting = Object.keys(this.live).filter((name) => users.some(({ service }) => service === name));
    if (waiting.length === 0) return;
    this.routes("hold", this.held(waiting), {}, "requests wait for the database");
    // A connection that stays open (a websocket) is not worth the wait of all others.
    for (const user of users) if (waiting.includes(user.service)) this.do("drain", user.key, "3");
  }

  /** The services that run and use the database: as they were recorded, and not as they are wanted. */
  private usersOfDatabase(): Current["objects"] {
    return (this.facts.current?.objects ?? []).filter(({ id, role, service }) => {
      if (role !== "service" || !this.isUp(id)) return false;
      const parts = Object.entries(this.facts.current?.record.containers[service]?.parts ?? {});
      return parts.some(([path, text]) => path.startsWith("networks.") && text === DATA_NETWORK);
    });
  }

  private isUp(id: string): boolean {
    return this.facts.containers.some((one) => one.id === id && !hasEnded(one.state));
  }

  private proxy(): void {
    const item = this.items.find(({ container }) => container.spec.role === "proxy");
    if (item === undefined) throw new Error("a plan without a proxy");
    const { key, old, kind, cure, found } = item;
    this.tellOne(item);
    if (cure === undefined) return;
    if (kind === "repair" && !this.drifted("proxy", "gone", "stopped", "restarting", "unhealthy")) {
      // It is as it was, only asleep or cut off.
      if (cure === "start") this.start(item);
      this.do("healthy", key);
      return;
    }
    const exchange = kind === "replace" && old !== undefined && found !== undefined;
    // Its port binds at start: the old one must be gone by then. So must it before the site changes: what only the
    // new one can read (another nginx, a certificate's folder) would not pass the old one's check. An image that cannot
    // be a proxy is found out before.
    if (exchange) {
      if (this.siteChanged()) this.siteTexts();
      this.do("rehearse", key, ...(this.siteChanged() ? ["site"] : []));
      this.away(old.key, key);
    } else if (cure === "revive") this.away(key, key);
    if (!exchange || this.siteChanged()) this.installSite();
    this.start(item);
    this.do("healthy", key);
    this.promote(key);
  }

  /** nginx's files as they should be, before anything is asked of it. What slept is not known to have them. */
  private mendSite(): void {
    if (!this.siteInstalled && (this.drifted("proxy", "site") || this.drifted("proxy", "paused"))) {
      this.installSite();
    }
    if (this.drifted("proxy", "routes")) {
      this.routes("route", this.live, {}, "requests go where they should again");
    }
  }

  /**
   * Stops the old one for the new one. If the machine restarts before `promote`, the old one comes back. One that is
   * its own successor comes back in any case.
   */
  private away(old: string, key: string): void {
    this.shelter(old, key);
    this.do("stop", old);
  }

  private shelter(old: string, key: string): void {
    this.do("shelter", ...(old === key ? [key] : [old, key]));
    this.sheltered.push([old, key]);
  }

  /** From here on a restart of the machine brings up this one, and not those that it took the place of. */
  private promote(key: string): void {
    for (const [old, by] of this.sheltered.filter(([, by]) => by === key)) this.do("promote", by, old);
    this.sheltered = this.sheltered.filter(([, by]) => by !== key);
  }

  /** There is one database and one proxy: each can only be exchanged, the old one for the new one. */
  private tellOne({ name, kind, container }: Item): void {
    const order = kind === "replace" ? { order: "stop-first" as const } : {};
    this.changes.push({ service: name, kind, memory: container.spec.memory, ...order });
  }

  private siteChanged(): boolean {
    return this.facts.current?.record.site !== siteDigest(this.site);
  }

  private installSite(): void {
    this.siteInstalled = true;
    this.siteTexts();
    this.labels.site = "nginx has the site's configuration";
    this.do("site", "site");
  }

  private siteTexts(): void {
    this.texts.site = this.site;
    this.texts["routes.js"] = this.routesScript;
  }

  /** A migration runs once: the one of the release that serves has done its work. */
  private migrate(services: readonly Item[]): void {
    const done = new Set(this.facts.current?.objects.map(({ key }) => key));
    for (const { migration } of services) {
      if (migration === undefined || done.has(migration.key)) continue;
      this.attach({ container: migration });
      this.do("migrate", migration.key);
    }
  }

  /** Who starts beside its predecessor, and who instead of it. */
  private orders(started: readonly Item[]): Map<string, Order> {
    const starts = started.map((item) => {
      const { name, container, vacant, order, exclusive } = item;
      const holders = this.holders(item);
      const free = vacant && holders.length === 0;
      // Of a holder that has a successor of its own, the memory is counted there.
      const freed = [
        ...(vacant ? [] : [name]),
        ...holders.map(({ service }) => service).filter((service) => !this.isWanted(service)),
      ];
      return {
        name,
        memory: container.spec.memory,
        replaces: free ? undefined : freed.reduce((sum, one) => sum + this.recordedMemory(one), 0),
        order: free ? ("auto" as const) : exclusive.length > 0 ? ("stop-first" as const) : order,
      };
    });
    const running = this.limitsOfRunning();
    const chosen = chooseOrders(starts, running, this.budget);
    this.most = Math.max(mostAtOnce(starts, running, chosen), running + this.migrationLimit());
    for (const { name, kind, container } of started) {
      this.changes.push({ service: name, kind, memory: container.spec.memory, ...chosen.get(name) });
    }
    this.refusals.push(
      ...starts.flatMap(({ name, order }) => {
        const left = chosen.get(name)?.headroom ?? 0;
        return order === "start-first" && left < 0 ? [refusal(name, -left)] : [];
      }),
    );
    return new Map([...chosen].map(([name, { order }]) => [name, order]));
  }

  /** MiB: the limits of what runs when the first service starts: all that serves, database and proxy as wanted. */
  private limitsOfRunning(): number {
    const wanted = this.items.reduce((sum, { name, container, vacant }) => {
      if (container.spec.role !== "service") return sum + container.spec.memory;
      return sum + (vacant ? 0 : this.recordedMemory(name));
    }, 0);
    return this.gone.reduce((sum, { service }) => sum + this.recordedMemory(service), wanted);
  }

  /** MiB: migrations run one after the other, before anything is switched, each beside all that serves. */
  private migrationLimit(): number {
    const migrating = new Set(
      this.steps.filter(({ verb }) => verb === "migrate").flatMap(({ arguments: [key = ""] }) => key),
    );
    const limits = this.items.flatMap(({ migration }) =>
      migration !== undefined && migrating.has(migration.key) ? [migration.spec.memory] : [],
    );
    return Math.max(0, ...limits);
  }

  spare(): number | undefined {
    return this.budget && headroom(this.budget, this.most);
  }

  /** What the runner counts again on the host, at the moment of each start. */
  needs(): Record<string, number> {
    const spare = this.spare();
    if (spare === undefined) return {};
    const fits = spare >= 0;
    const started = new Set(
      this.steps
        .filter(({ verb }) => verb === "start" || verb === "migrate")
        .flatMap(({ arguments: [key = ""] }) => key),
    );
    const all = this.items.flatMap(({ container, migration }) => [
      container,
      ...(migration ? [migration] : []),
    ]);
    return Object.fromEntries(
      all.flatMap(({ key, spec }) => (started.has(key) ? [[key, needAtStart(spec.memory, fits)]] : [])),
    );
  }

  private recordedMemory(service: string): number {
    return this.facts.current?.record.containers[service]?.memory ?? 0;
  }

  private startBeside(items: readonly Item[]): void {
    const waiting = new Map<string, Item>();
    const settle = (name: string) => {
      const one = waiting.get(name);
      if (one === undefined) return;
      waiting.delete(name);
      this.do("healthy", one.key);
      if (one.address === undefined) return;
      // Others may need it from now on, where nothing serves under this name, or requests wait for it.
      if (this.live[name] === "hold") {
        this.live[name] = one.address;
        this.routes("route", this.live, {}, `requests to ${name} go on`);
      } else if (one.kind === "new") {
        this.live[name] = one.address;
        this.routes("stage", this.live, {}, `${name} can be reached`);
      }
    };
    for (const item of items) {
      for (const need of item.needs) settle(need);
      if (item.cure === "revive") this.reviveService(item);
      else if (this.holders(item).length > 0) this.exchange(item);
      else this.start(item);
      if (!this.isHealthy(item.key)) waiting.set(item.name, item);
    }
    for (const { name } of items) settle(name);
  }

  private reviveService(item: Item): void {
    if (item.address !== undefined) {
      this.routes("hold", this.held([item.name]), {}, `requests to ${item.name} wait`);
    }
    this.revive(item);
  }

  /** Old away, new in its place; requests wait in the proxy meanwhile. */
  private exchange(item: Item): void {
    const { name, key, old, found, address } = item;
    const holders = this.holders(item).filter((one) => !this.isStopped(one.key));
    const away = [...(found === undefined || old === undefined ? [] : [old]), ...holders];
    const moved = holders.map(({ service }) => service).filter((one) => this.live[one] !== undefined);
    if (address !== undefined || this.live[name] !== undefined || moved.length > 0) {
      const waits = [...(address === undefined && this.live[name] === undefined ? [] : [name]), ...moved];
      this.held(waits);
      // A successor that is healthy already need not wait for the others.
      for (const one of this.items.filter((each) => moved.includes(each.name))) {
        if (one.address !== undefined && this.isHealthy(one.key)) this.live[one.name] = one.address;
      }
      this.routes("hold", this.live, {}, `requests to ${waits.join(", ")} wait`);
    }
    for (const { key: one } of away) {
      if (this.isStopped(one)) continue;
      this.do("drain", one);
      this.away(one, key);
    }
    this.start(item);
    this.do("healthy", key);
    const needed = this.items.some(({ needs }) => needs.includes(name));
    if (needed && address !== undefined) {
      this.promote(key);
      this.live[name] = address;
      this.routes("route", this.live, {}, `requests to ${name} go on`);
    }
  }

  /** Others that have a volume which only this one may write to: it was theirs until this release. */
  private holders({ name, exclusive }: Item): Current["objects"] {
    const { current, containers } = this.facts;
    return (current?.objects ?? []).filter(({ service, role, id }) => {
      if (service === name || role === "migrate") return false;
      const has = current?.record.containers[service]?.volumes ?? [];
      const runs = containers.some((one) => one.id === id && !["created", "exited"].includes(one.state));
      const stays = this.items.some((one) => one.name === service && one.kind !== "replace");
      return runs && !stays && has.some((volume) => exclusive.includes(volume));
    });
  }

  private isWanted(service: string): boolean {
    return this.items.some(({ name }) => name === service);
  }

  private isStopped(key: string): boolean {
    return this.steps.some(({ verb, arguments: [one] }) => verb === "stop" && one === key);
  }

  private isHealthy(key: string): boolean {
    return this.steps.some(({ verb, arguments: [one] }) => verb === "healthy" && one === key);
  }

  private held(names: readonly string[]): Record<string, string> {
    const served = names.flatMap((name) =>
      [undefined, "hold"].includes(this.live[name]) ? [] : [[name, this.live[name] ?? ""] as const],
    );
    this.fallback = { ...this.fallback, ...Object.fromEntries(served) };
    this.live = { ...this.live, ...Object.fromEntries(names.map((name) => [name, "hold"])) };
    return this.live;
  }

  /** The candidate is tried before any visitor meets it; then everything is switched at once. */
  private prove(started: readonly Item[]): void {
    const siteChanged = this.siteChanged();
    const final = this.firstFinal;
    const switches = canonical(final) !== canonical(this.live);
    if (switches) this.routes("stage", this.live, final, "the new release can be tried");
    if (siteChanged && !this.siteInstalled) this.installSite();
    if (this.config.smoke.length > 0 && (started.length > 0 || siteChanged)) {
      this.do("smoke", "candidate");
    }
    for (const { key } of started) this.promote(key);
    if (switches) {
      this.live = final;
      this.routes("route", final, {}, "requests go to the new release");
    }
    if (this.config.smoke.length > 0) this.do("smoke", "live");
    if (started.length > 0) this.do("observe", String(this.config.observe), ...started.map(({ key }) => key));
  }

  private tidy(replaced: readonly Item[]): void {
    const alone = this.items.filter(
      ({ kind, container }) => kind === "replace" && container.spec.role !== "service",
    );
    for (const { old, found } of [...replaced.filter(({ kind }) => kind === "replace"), ...alone]) {
      if (old !== undefined && found !== undefined) this.retire(old.key);
    }
    for (const { key, service, id } of this.gone) {
      if (this.facts.containers.some((one) => one.id === id && isThere(one))) this.retire(key);
      this.changes.push({ service, kind: "remove", memory: 0 });
    }
    this.do("sweep");
  }

  private retire(key: string): void {
    if (!this.isStopped(key)) {
      this.do("drain", key);
      this.do("stop", key);
    }
    this.do("remove", key);
  }

  private routes(
    verb: "hold" | "stage" | "route",
    live: Record<string, string>,
    candidate: Record<string, string>,
    label: string,
  ): void {
    const name = `routes-${Object.keys(this.texts).length + 1}`;
    this.texts[name] = routesFile(live, candidate, this.fallback);
    this.labels[name] = label;
    this.do(verb, name);
  }
}

function refusal(name: string, missing: number): string {
  return (
    `services.${name}.order: start-first needs ${missing} MiB more than the host has to spare; ` +
    "use auto or stop-first, or lower a memory limit"
  );
}

/** How a record tells that a container was on the database's network. */
const [DATA_NETWORK] = Object.values(leaves("data"));

function hasEnded(state: string): boolean {
  return ["created", "exited", "dead"].includes(state);
}

/** key:port of a recorded container that is asked over HTTP. */
function addressOf(key: string, health: string): string | undefined {
  const port = /^http:(\d+):/.exec(health)?.[1];
  return port === undefined ? undefined : `${key}:${port}`;
}
