import { siteDigest } from "../site/nginx";
import type { Change } from "./plan";
import type { Script } from "./script";
import type { Situation } from "./situation";
import { Steps } from "./steps";

/** The one proxy, and the site that nginx has. */
export class ProxySteps extends Steps {
  /** By this plan, so far. */
  installed = false;

  constructor(
    situation: Situation,
    script: Script,
    changes: Change[],
    private readonly site: string,
    private readonly routesScript: string,
  ) {
    super(situation, script, changes);
  }

  lay(): void {
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
      if (this.changed) this.texts();
      this.script.do("rehearse", key, ...(this.changed ? ["site"] : []));
      this.script.away(old.key, key);
    } else if (cure === "revive") this.script.away(key, key);
    if (!exchange || this.changed) this.install();
    this.start(item);
    this.script.do("healthy", key);
    this.script.promote(key);
  }

  /** nginx's files as they should be, before anything is asked of it. What slept is not known to have them. */
  mend(): void {
    if (
      !this.installed &&
      (this.situation.drifted("proxy", "site") || this.situation.drifted("proxy", "paused"))
    ) {
      this.install();
    }
    if (this.situation.drifted("proxy", "routes")) {
      this.script.routes("route", this.script.live, {}, "requests go where they should again");
    }
  }

  get changed(): boolean {
    return this.situation.facts.current?.record.site !== siteDigest(this.site);
  }

  install(): void {
    this.installed = true;
    this.texts();
    this.script.labels.site = "nginx has the site's configuration";
    this.script.do("site", "site");
  }

  private texts(): void {
    this.script.texts.site = this.site;
    this.script.texts["routes.js"] = this.routesScript;
  }
}
