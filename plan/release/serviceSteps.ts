import type { MigrationKind } from "../config/schema";
import type { Item } from "./situation";
import { Steps } from "./steps";

/** The services: their migrations, and how each takes the place of what was there. */
export class ServiceSteps extends Steps {
  /** The migrations that run, by key. */
  readonly migrations: Record<string, MigrationKind> = {};

  /** What a migration does is not undone: before one that earlier code may not work with, the data is dumped. */
  migrate(services: readonly Item[]): void {
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
  hasLeft({ kind, old }: Item): boolean {
    return kind === "replace" && old !== undefined && this.script.has("stop", old.key);
  }

  /** There is nothing to lose before the first release; and a dump of new, empty data would push out those of the lost. */
  private backUp(): void {
    const key = this.situation.the("database")?.key;
    if (key === undefined || this.situation.facts.current === undefined || this.situation.dataWasLost) return;
    if (!this.script.has("backup", key)) this.script.do("backup", key);
  }

  startBeside(items: readonly Item[]): void {
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
  exchange(item: Item): void {
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
}
