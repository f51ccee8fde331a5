import type { MigrationKind } from "../config/schema";
import { isThere } from "../found/present";
import { siteDigest } from "../site/nginx";
import { canonical } from "../wanted/identity";
import type { Change, Wanted } from "./plan";
import { Script } from "./script";
import { hasEnded, type Item, type Situation } from "./situation";
import { needsAtStart, planStarts } from "./starts";

/** Lays down the verbs of a release, in their order: the proxy, the database, the services; proof; tidying. */
export class Planner {
  readonly script: Script;
  readonly changes: Change[] = [];
  /** Those that run, by key. */
  readonly migrations: Record<string, MigrationKind> = {};
  readonly refusals: string[] = [];
  /** MiB left when the most runs; undefined: the host told nothing. */
  spare: number | undefined;
  private siteInstalled = false;

  constructor(
    private readonly situation: Situation,
    private readonly site: string,
    private readonly routesScript: string,
  ) {
    this.script = new Script(situation.live);
  }

  /** What the runner counts again on the host, at the moment of each start. */
  needs(): Record<string, number> {
    return needsAtStart(this.situation, this.spare, this.script.keysOf("start", "migrate"));
  }

  plan(): void {
    this.reattach();
    // The proxy first: health is asked from inside it, and requests that must wait, wait in it.
    this.proxy();
    this.mendSite();
    this.database();
    const { services } = this.situation;
    for (const { name, kind, container } of services.filter(({ cure }) => cure !== "start")) {
      this.changes.push({ service: name, kind, memory: container.spec.memory });
    }
    this.migrate(services);
    const started = services.filter(({ cure }) => cure === "start");
    const { orders, changes, refusals, spare } = planStarts(
      this.situation,
      started,
      this.script.keysOf("migrate"),
    );
    this.changes.push(...changes);
    this.refusals.push(...refusals);
    this.spare = spare;
    // One that has no place of its own yet takes that of a holder when it is its turn: others may need it.
    const instead = started.filter(
      (one) => !one.vacant && orders.get(one.name) === "stop-first" && !this.hasLeft(one),
    );
    const cured = services.filter((one) => one.cure !== undefined && !instead.includes(one));
    const after = this.healedBy(instead, cured);
    this.startBeside(cured.filter((one) => !after.includes(one)));
    for (const item of instead) this.exchange(item);
    this.startBeside(after);
    this.prove([...cured, ...instead]);
    this.script.do("record");
    this.tidy([...cured, ...instead]);
  }

  /** What is ill and needs one that is exchanged: perhaps that ails it, and it cannot get well before. */
  private healedBy(exchanged: readonly Item[], cured: readonly Item[]): readonly Item[] {
    const names = new Set(exchanged.map(({ name }) => name));
    return cured.filter(({ name, cure, needs }) => {
      const waits = cure === "revive" && needs.some((need) => names.has(need));
      if (waits) names.add(name);
      return waits;
    });
  }

  private start(item: Item): void {
    this.attach(item.container);
    this.script.do("start", item.key);
  }

  /** What runs is connected and limited again before anything else: all that follows may need it. */
  private reattach(): void {
    for (const item of this.situation.items) {
      if (item.kind !== "repair" || item.found === undefined) continue;
      if (item.cure === "revive") this.attach(item.container);
      if (this.situation.drifted(item.name, "limits"))
        this.script.do("limit", item.key, String(item.container.spec.memory));
    }
  }

  private attach(container: Wanted["container"]): void {
    if (this.situation.lacksNetwork(container)) this.script.do("attach", container.key);
  }

  /** Brings back to health what runs: by itself, now that what it needs is back, or by a restart. */
  private revive({ name, key, needs }: Item): void {
    const helped =
      this.situation.drifted(name, "detached") || needs.some((need) => this.situation.isCured(need));
    this.script.do("revive", key, helped ? "10" : "2");
  }

  private database(): void {
    const item = this.situation.the("database");
    if (item === undefined) return;
    const { key, old, kind, cure, found } = item;
    this.tellOne(item);
    if (cure === undefined) return;
    const exchange = kind === "replace" && old !== undefined && found !== undefined;
    const waits = exchange || cure === "revive";
    const served = { ...this.script.live };
    const users = waits ? this.situation.usersOfDatabase() : [];
    if (exchange) {
      // Only one that runs can be dumped.
      if (hasEnded(found.state) || found.state === "paused") {
        this.script.do("start", old.key);
        this.script.do("healthy", old.key);
      }
      if (!this.situation.dataWasLost) this.script.do("backup", old.key);
      this.script.shelter(old.key, key);
    }
    this.holdFor(users);
    if (exchange) this.script.do("stop", old.key);
    if (cure === "revive") this.revive(item);
    else this.start(item);
    this.script.do("healthy", key);
    this.script.do("password", key);
    for (const user of users) {
      const stays = this.situation.items.some((one) => one.cure === undefined && one.key === user.key);
      // One that is replaced a moment later must find the database again, but what ails it may be why it is replaced.
      if (stays) this.script.do("healthy", user.key);
      else if (served[user.service] !== undefined && !this.situation.isRevived(user.key))
        this.script.do("rejoin", user.key);
    }
    if (canonical(served) !== canonical(this.script.live)) {
      this.script.live = served;
      this.script.routes("route", served, {}, "requests go on");
    }
    // Until here a reboot brings the old one back; on the same data, with the same logins, either will do.
    this.script.promote(key);
  }

  /** Requests to those that use the database wait while it is away, and those in flight end first. */
  private holdFor(users: Situation["gone"]): void {
    const waiting = Object.keys(this.script.live).filter((name) =>
      users.some(({ service }) => service === name),
    );
    if (waiting.length === 0) return;
    this.script.routes("hold", this.script.held(waiting), {}, "requests wait for the database");
    // A connection that stays open (a websocket) is not worth the wait of all others.
    for (const user of users) if (waiting.includes(user.service)) this.script.do("drain", user.key, "3");
  }

  private proxy(): void {
    const item = this.situation.the("proxy");
    if (item === undefined) throw new Error("a plan without a proxy");
    const { key, old, kind, cure, found } = item;
    this.tellOne(item);
    if (cure === undefined) return;
    if (kind === "repair" && !this.situation.drifted("proxy", "gone", "stopped", "restarting", "unhealthy")) {
      // It is as it was, only asleep or cut off.
      if (cure === "start") this.start(item);
      this.script.do("healthy", key);
      return;
    }
    const exchange = kind === "replace" && old !== undefined && found !== undefined;
    // Its port binds at start: the old one must be gone by then. So must it before the site changes: what only the
    // new one can read (another nginx, a certificate's folder) would not pass the old one's check. An image that cannot
    // be a proxy is found out before.
    if (exchange) {
      if (this.siteChanged()) this.siteTexts();
      this.script.do("rehearse", key, ...(this.siteChanged() ? ["site"] : []));
      this.script.away(old.key, key);
    } else if (cure === "revive") this.script.away(key, key);
    if (!exchange || this.siteChanged()) this.installSite();
    this.start(item);
    this.script.do("healthy", key);
    this.script.promote(key);
  }

  /** nginx's files as they should be, before anything is asked of it. What slept is not known to have them. */
  private mendSite(): void {
    if (
      !this.siteInstalled &&
      (this.situation.drifted("proxy", "site") || this.situation.drifted("proxy", "paused"))
    ) {
      this.installSite();
    }
    if (this.situation.drifted("proxy", "routes")) {
      this.script.routes("route", this.script.live, {}, "requests go where they should again");
    }
  }

  /** There is one database and one proxy: each can only be exchanged, the old one for the new one. */
  private tellOne({ name, kind, container }: Item): void {
    const order = kind === "replace" ? { order: "stop-first" as const } : {};
    this.changes.push({ service: name, kind, memory: container.spec.memory, ...order });
  }

  private siteChanged(): boolean {
    return this.situation.facts.current?.record.site !== siteDigest(this.site);
  }

  private installSite(): void {
    this.siteInstalled = true;
    this.siteTexts();
    this.script.labels.site = "nginx has the site's configuration";
    this.script.do("site", "site");
  }

  private siteTexts(): void {
    this.script.texts.site = this.site;
    this.script.texts["routes.js"] = this.routesScript;
  }

  /** What a migration does is not undone: before one that earlier code may not work with, the data is dumped. */
  private migrate(services: readonly Item[]): void {
    for (const item of services) {
      const migration = this.situation.pendingMigration(item);
      if (migration === undefined) continue;
      const { migrationKind: kind } = item;
      if (kind === "offline") this.leave(item);
      if (kind !== "expand") this.backUp();
      this.attach(migration);
      this.script.do("migrate", migration.key);
      this.migrations[migration.key] = kind;
    }
  }

  /** Old away before its successor is there; requests wait in the proxy meanwhile. */
  private leave({ name, key, old, found }: Item): void {
    if (old === undefined || found === undefined || this.script.has("stop", old.key)) return;
    if (this.script.live[name] !== undefined) {
      this.script.routes("hold", this.script.held([name]), {}, `requests to ${name} wait for its migration`);
    }
    this.script.do("drain", old.key);
    this.script.away(old.key, key);
  }

  /** Its migration has stopped the old one: the new one comes in its turn, for others may need it. */
  private hasLeft({ kind, old }: Item): boolean {
    return kind === "replace" && old !== undefined && this.script.has("stop", old.key);
  }

  /** There is nothing to lose before the first release; and a dump of new, empty data would push out those of the lost. */
  private backUp(): void {
    const key = this.situation.the("database")?.key;
    if (key === undefined || this.situation.facts.current === undefined || this.situation.dataWasLost) return;
    if (!this.script.has("backup", key)) this.script.do("backup", key);
  }

  private startBeside(items: readonly Item[]): void {
    const waiting = new Map<string, Item>();
    const settle = (name: string) => {
      const one = waiting.get(name);
      if (one === undefined) return;
      waiting.delete(name);
      this.script.do("healthy", one.key);
      if (one.address === undefined) return;
      // Others may need it from now on, where nothing serves under this name, or requests wait for it.
      if (this.script.live[name] === "hold") {
        this.script.live[name] = one.address;
        this.script.routes("route", this.script.live, {}, `requests to ${name} go on`);
      } else if (one.kind === "new" || (this.isNeeded(name) && !this.serves(one))) {
        this.script.live[name] = one.address;
        this.script.routes("stage", this.script.live, {}, `${name} can be reached`);
      }
    };
    for (const item of items) {
      for (const need of item.needs) settle(need);
      if (item.cure === "revive") this.reviveService(item);
      else if (this.situation.holders(item).length > 0 || this.hasLeft(item)) this.exchange(item);
      else this.start(item);
      if (!this.script.has("healthy", item.key)) waiting.set(item.name, item);
    }
    for (const { name } of items) settle(name);
  }

  private isNeeded(service: string): boolean {
    return this.situation.items.some(({ needs }) => needs.includes(service));
  }

  /** Whether the old one answers: if not, whoever needs it cannot get well before its successor is reached. */
  private serves({ name, vacant }: Item): boolean {
    return !vacant && !this.situation.drifted(name, "unhealthy", "restarting", "paused");
  }

  private reviveService(item: Item): void {
    if (item.address !== undefined) {
      this.script.routes("hold", this.script.held([item.name]), {}, `requests to ${item.name} wait`);
    }
    this.revive(item);
  }

  /** Old away, new in its place; requests wait in the proxy meanwhile. */
  private exchange(item: Item): void {
    const { name, key, old, found, address } = item;
    const holders = this.situation.holders(item).filter((one) => !this.script.has("stop", one.key));
    const away = [...(found === undefined || old === undefined ? [] : [old]), ...holders];
    const moved = holders.map(({ service }) => service).filter((one) => this.script.live[one] !== undefined);
    if (address !== undefined || this.script.live[name] !== undefined || moved.length > 0) {
      const waits = [
        ...(address === undefined && this.script.live[name] === undefined ? [] : [name]),
        ...moved,
      ];
      this.script.held(waits);
      // A successor that is healthy already need not wait for the others.
      for (const one of this.situation.items.filter((each) => moved.includes(each.name))) {
        if (one.address !== undefined && this.script.has("healthy", one.key))
          this.script.live[one.name] = one.address;
      }
      // Where they wait already, for a migration, they may do so for their full time again.
      this.script.routes("hold", this.script.live, {}, `requests to ${waits.join(", ")} wait`);
    }
    for (const { key: one } of away) {
      if (this.script.has("stop", one)) continue;
      this.script.do("drain", one);
      this.script.away(one, key);
    }
    this.start(item);
    this.script.do("healthy", key);
    for (const one of moved) {
      if (address !== undefined && !this.situation.isWanted(one)) this.script.heirs[one] = address;
    }
    if (this.isNeeded(name) && address !== undefined) {
      this.script.promote(key);
      this.script.live[name] = address;
      this.script.routes("route", this.script.live, {}, `requests to ${name} go on`);
    }
  }

  /** The candidate is tried before any visitor meets it; then everything is switched at once. */
  private prove(started: readonly Item[]): void {
    const siteChanged = this.siteChanged();
    const final = this.situation.final;
    const switches = canonical(final) !== canonical(this.script.live);
    if (switches) this.script.routes("stage", this.script.live, final, "the new release can be tried");
    if (siteChanged && !this.siteInstalled) this.installSite();
    if (this.situation.config.smoke.length > 0 && (started.length > 0 || siteChanged)) {
      this.script.do("smoke", "candidate");
    }
    for (const { key } of started) this.script.promote(key);
    if (switches) {
      this.script.live = final;
      this.script.routes("route", final, {}, "requests go to the new release");
    }
    if (this.situation.config.smoke.length > 0) this.script.do("smoke", "live");
    if (started.length > 0)
      this.script.do("observe", String(this.situation.config.observe), ...started.map(({ key }) => key));
  }

  private tidy(replaced: readonly Item[]): void {
    const alone = this.situation.items.filter(
      ({ kind, container }) => kind === "replace" && container.spec.role !== "service",
    );
    for (const { old, found } of [...replaced.filter(({ kind }) => kind === "replace"), ...alone]) {
      if (old !== undefined && found !== undefined) this.retire(old.key);
    }
    for (const { key, service, id } of this.situation.gone) {
      if (this.situation.facts.containers.some((one) => one.id === id && isThere(one))) this.retire(key);
      this.changes.push({ service, kind: "remove", memory: 0 });
    }
    this.script.do("sweep");
  }

  private retire(key: string): void {
    if (!this.script.has("stop", key)) {
      this.script.do("drain", key);
      this.script.do("stop", key);
    }
    this.script.do("remove", key);
  }
}
