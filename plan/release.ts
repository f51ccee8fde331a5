import type { Config } from "./config/schema";
import type { NamedContainer } from "./container";
import type { Current, Facts, ReleaseRecord } from "./facts";
import { canonical, digest } from "./identity";
import { type Budget, budget, chooseOrders, type Order } from "./memory";
import { routesFile, siteConfig, siteDigest } from "./nginx";

/**
 * A release as data: which verbs the runner does, in which order. A pure function of what is wanted (config), what
 * the host told (facts) and nothing else; preview prints it, host/run.sh does it.
 */
export interface Plan {
  readonly release: string;
  /** Grows whenever the host is not as wanted: the release command runs when it changes. */
  readonly epoch: number;
  readonly steps: readonly Step[];
  readonly texts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly changes: readonly Change[];
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
  /** A volume that only one version may write to. */
  readonly exclusive: boolean;
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
  const settled = facts.current?.release === release && !facts.interrupted && planner.undisturbed();
  const epoch = facts.current?.epoch ?? 0;
  return {
    release,
    epoch: settled ? epoch : epoch + 1,
    steps,
    texts: planner.texts,
    labels: planner.labels,
    changes: planner.changes,
    record: full,
    refusals: [...versionRefusals(full, facts), ...planner.refusals],
  };
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
  /** It takes nobody's place: there is no old one, or it has ended, or it is this very container. */
  readonly vacant: boolean;
  readonly address: string | undefined;
}

class Planner {
  readonly steps: Step[] = [];
  readonly texts: Record<string, string> = {};
  readonly labels: Record<string, string> = {};
  readonly changes: Change[] = [];
  readonly refusals: string[] = [];
  private readonly items: Item[];
  private readonly gone: Current["objects"];
  private readonly budget: Budget | undefined;
  private live: Record<string, string>;
  /** Where requests go that have waited in vain: to what served before. */
  private fallback: Record<string, string> = {};
  private readonly firstFinal: Record<string, string>;

  constructor(
    private readonly config: Config,
    wanted: readonly Wanted[],
    private readonly facts: Facts,
    private readonly site: string,
    private readonly routesScript: string,
  ) {
    const serving = (facts.current?.objects ?? []).filter(({ role }) => role !== "migrate");
    this.items = wanted.map((one) => this.item(one, serving));
    const names = new Set(this.items.map(({ name }) => name));
    this.gone = serving.filter(({ service }) => !names.has(service));
    this.budget = budget(facts, config.host.memory);
    this.live = Object.fromEntries(
      serving.flatMap((object) => {
        const address = addressOf(object.key, object.health);
        return address === undefined ? [] : [[object.service, address]];
      }),
    );
    this.firstFinal = Object.fromEntries(
      this.items.flatMap(({ name, address }) => (address === undefined ? [] : [[name, address]])),
    );
  }

  /** Whether the host is exactly as the record says. */
  undisturbed(): boolean {
    const objects = this.facts.current?.objects ?? [];
    const known = new Set(objects.map(({ id }) => id));
    const strays = this.facts.containers.some(({ id }) => !known.has(id));
    const migrationsThere = objects.every(({ id }) => this.facts.containers.some((one) => one.id === id));
    return (
      !strays && migrationsThere && this.items.every(({ kind }) => kind === "same") && this.gone.length === 0
    );
  }

  plan(): Step[] {
    // The proxy first: health is asked from inside it, and requests that must wait, wait in it.
    this.proxy();
    this.database();
    const services = this.items.filter(({ container }) => container.spec.role === "service");
    for (const { name, container } of services.filter(({ kind }) => kind === "same")) {
      this.changes.push({ service: name, kind: "same", memory: container.spec.memory });
    }
    this.migrate(services);
    const started = services.filter(isStarted);
    const orders = this.orders(started);
    const before = started.filter(({ name }) => orders.get(name) === "start-first");
    const instead = started.filter(({ name }) => orders.get(name) === "stop-first");
    this.startBeside(before);
    for (const item of instead) this.exchange(item);
    this.prove(started, instead);
    this.do("record");
    this.tidy([...before, ...instead]);
    return this.steps;
  }

  private item(one: Wanted, serving: Current["objects"]): Item {
    const { spec, key } = one.container;
    const old = serving.find(({ service }) => service === spec.service);
    const state = this.facts.containers.find(({ id }) => id === old?.id)?.state;
    const runs = state === "running";
    const kind = old === undefined ? "new" : old.key !== key ? "replace" : runs ? "same" : "repair";
    const ended = state === undefined || ["created", "exited", "dead"].includes(state);
    const vacant = kind === "replace" ? ended : kind !== "same";
    const address = spec.health.kind === "http" ? `${key}:${spec.health.port}` : undefined;
    return { ...one, name: spec.service, key, kind, old, vacant, address };
  }

  private do(verb: string, ...args: string[]): void {
    this.steps.push({ verb, arguments: args });
  }

  private start(item: Item): void {
    this.do("start", item.key);
  }

  private database(): void {
    const item = this.items.find(({ container }) => container.spec.role === "database");
    if (item === undefined) return;
    const { key, old, kind } = item;
    this.tellOne(item);
    if (kind === "same") return;
    const exchange = kind === "replace" && old !== undefined;
    const served = { ...this.live };
    if (exchange) {
      this.do("backup", old.key);
      this.routes("hold", this.held(Object.keys(this.live)), {}, "requests wait for the database");
      this.do("shelter", old.key, key);
      this.do("stop", old.key);
    }
    this.start(item);
    this.do("healthy", key);
    this.do("password", key);
    if (exchange) {
      this.do("promote", key, old.key);
      for (const user of this.items.filter((one) => one.kind === "same" && one.needs.includes("database"))) {
        this.do("healthy", user.key);
      }
      this.live = served;
      this.routes("route", served, {}, "requests go on");
    }
  }

  private proxy(): void {
    const item = this.items.find(({ container }) => container.spec.role === "proxy");
    if (item === undefined) throw new Error("a plan without a proxy");
    const { key, old, kind } = item;
    this.tellOne(item);
    if (kind === "same") return;
    const exchange = kind === "replace" && old !== undefined;
    if (exchange) {
      // Its port binds at start: the old one must be gone by then. So must it before the site changes: what only the
      // new one can read (another nginx, a certificate's folder) would not pass the old one's check. An image that
      // cannot be a proxy is found out before.
      if (this.siteChanged()) this.siteTexts();
      this.do("rehearse", key, ...(this.siteChanged() ? ["site"] : []));
      this.do("shelter", old.key, key);
      this.do("stop", old.key);
    }
    if (!exchange || this.siteChanged()) this.installSite();
    this.start(item);
    this.do("healthy", key);
    if (exchange) this.do("promote", key, old.key);
  }

  /** There is one database and one proxy: each can only be exchanged, the old one for the new one. */
  private tellOne({ name, kind, container }: Item): void {
    const order = kind === "replace" ? { order: "stop-first" as const } : {};
    this.changes.push({ service: name, kind, memory: container.spec.memory, ...order });
  }

  private siteChanged(): boolean {
    return this.facts.current?.record.site !== siteDigest(this.site);
  }

  private siteTexts(): void {
    this.texts.site = this.site;
    this.texts["routes.js"] = this.routesScript;
  }

  private installSite(): void {
    this.siteTexts();
    this.labels.site = "nginx has the site's configuration";
    this.do("site", "site");
  }

  /** A migration runs once: the one of the release that serves has done its work. */
  private migrate(services: readonly Item[]): void {
    const done = new Set(this.facts.current?.objects.map(({ key }) => key));
    for (const { migration } of services) {
      if (migration !== undefined && !done.has(migration.key)) this.do("migrate", migration.key);
    }
  }

  /** Who starts beside its predecessor, and who instead of it. */
  private orders(started: readonly Item[]): Map<string, Order> {
    const starts = started.map(({ name, container, vacant, order, exclusive }) => ({
      name,
      memory: container.spec.memory,
      replaces: vacant ? undefined : this.recordedMemory(name),
      order: vacant ? "auto" : exclusive ? "stop-first" : order,
    }));
    const chosen = chooseOrders(starts, this.limitsOfRunning(), this.budget);
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
      // Nothing served under this name before: others may need it from now on.
      if (one.kind === "new" && one.address !== undefined) {
        this.live[name] = one.address;
        this.routes("stage", this.live, {}, `${name} can be reached`);
      }
    };
    for (const item of items) {
      for (const need of item.needs) settle(need);
      this.start(item);
      waiting.set(item.name, item);
    }
    for (const { name } of items) settle(name);
  }

  /** Old away, new in its place; requests wait in the proxy meanwhile. */
  private exchange(item: Item): void {
    if (item.address !== undefined || this.live[item.name] !== undefined) {
      this.routes("hold", this.held([item.name]), {}, `requests to ${item.name} wait`);
    }
    if (item.old !== undefined) {
      this.do("drain", item.old.key);
      this.do("shelter", item.old.key, item.key);
      this.do("stop", item.old.key);
    }
    this.start(item);
    this.do("healthy", item.key);
    const needed = this.items.some(({ needs }) => needs.includes(item.name));
    if (needed && item.address !== undefined) {
      this.promote(item);
      this.live[item.name] = item.address;
      this.routes("route", this.live, {}, `requests to ${item.name} go on`);
    }
  }

  private held(names: readonly string[]): Record<string, string> {
    const served = names.flatMap((name) =>
      this.live[name] === undefined ? [] : [[name, this.live[name]] as const],
    );
    this.fallback = { ...this.fallback, ...Object.fromEntries(served) };
    this.live = { ...this.live, ...Object.fromEntries(names.map((name) => [name, "hold"])) };
    return this.live;
  }

  /** The candidate is tried before any visitor meets it; then everything is switched at once. */
  private prove(started: readonly Item[], instead: readonly Item[]): void {
    const siteChanged = this.siteChanged();
    const proxySame = this.changes.some(({ service, kind }) => service === "proxy" && kind === "same");
    const final = this.firstFinal;
    const switches = canonical(final) !== canonical(this.live);
    if (switches) this.routes("stage", this.live, final, "the new release can be tried");
    if (siteChanged && proxySame) this.installSite();
    if (this.config.smoke.length > 0 && (started.length > 0 || siteChanged)) {
      this.do("smoke", "candidate");
    }
    for (const item of instead) this.promote(item);
    if (switches) {
      this.live = final;
      this.routes("route", final, {}, "requests go to the new release");
    }
    if (this.config.smoke.length > 0) this.do("smoke", "live");
    if (started.length > 0) this.do("observe", String(this.config.observe), ...started.map(({ key }) => key));
  }

  /** From here on a reboot brings up the new one and not the old one. Until then it is the other way round. */
  private promote({ key, old }: Item): void {
    if (
      old === undefined ||
      this.steps.some(({ verb, arguments: [one] }) => verb === "promote" && one === key)
    )
      return;
    this.do("promote", key, old.key);
  }

  private tidy(replaced: readonly Item[]): void {
    const all = this.items.filter(
      ({ kind, container }) => kind === "replace" && container.spec.role !== "service",
    );
    for (const { old } of [...replaced.filter(({ kind }) => kind === "replace"), ...all]) {
      if (old === undefined) continue;
      const stopped = this.steps.some(({ verb, arguments: [key] }) => verb === "stop" && key === old.key);
      if (!stopped) this.retire(old.key);
      this.do("remove", old.key);
    }
    for (const { key, service } of this.gone) {
      this.retire(key);
      this.do("remove", key);
      this.changes.push({ service, kind: "remove", memory: 0 });
    }
    this.do("sweep");
  }

  private retire(key: string): void {
    this.do("drain", key);
    this.do("stop", key);
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

function isStarted({ kind }: Item): boolean {
  return kind !== "same";
}

/** key:port of a recorded container that is asked over HTTP. */
function addressOf(key: string, health: string): string | undefined {
  const port = /^http:(\d+):/.exec(health)?.[1];
  return port === undefined ? undefined : `${key}:${port}`;
}
