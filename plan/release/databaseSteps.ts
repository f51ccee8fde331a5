import { canonical } from "../wanted/identity";
import { dataFolder } from "../wanted/container";
import { hasEnded, type Item, type Situation } from "./situation";
import { Steps } from "./steps";

/** The one database: it can only be exchanged, and requests to those that use it wait meanwhile. */
export class DatabaseSteps extends Steps {
  lay(): void {
    const item = this.situation.the("database");
    if (item === undefined) return;
    const { key, old, kind, cure, found } = item;
    this.tellOne(item);
    if (cure === undefined) return;
    this.fit(item);
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

  /** Data that another image or another stack has written may not be for this one: asked before anything stops. */
  private fit({ key, kind, container }: Item): void {
    const { current, volumes } = this.situation.facts;
    const before = current?.record.containers.database;
    const volume = container.spec.mounts[0]?.source ?? "";
    const known = before?.image === container.spec.image && current?.record.database?.volume === volume;
    if (kind === "repair" || known || !volumes.some(({ name }) => name === volume)) return;
    this.script.do("fits", key, dataFolder(this.situation.config.database?.version ?? 0));
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
}
