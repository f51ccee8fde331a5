import type { Change, Wanted } from "./plan";
import type { Script } from "./script";
import type { Item, Situation } from "./situation";

/** What the proxy's, the database's and the services' part of a plan have in common. All write into one script. */
export abstract class Steps {
  constructor(
    protected readonly situation: Situation,
    protected readonly script: Script,
    protected readonly changes: Change[],
  ) {}

  protected start(item: Item): void {
    this.attach(item.container);
    this.script.do("start", item.key);
  }

  attach(container: Wanted["container"]): void {
    if (this.situation.lacksNetwork(container)) this.script.do("attach", container.key);
  }

  /** Brings back to health what runs: by itself, now that what it needs is back, or by a restart. */
  protected revive({ name, key, needs }: Item): void {
    const helped =
      this.situation.drifted(name, "detached") || needs.some((need) => this.situation.isCured(need));
    this.script.do("revive", key, helped ? "10" : "2");
  }

  /** There is one database and one proxy: each can only be exchanged, the old one for the new one. */
  protected tellOne({ name, kind, container }: Item): void {
    const order = kind === "replace" ? { order: "stop-first" as const } : {};
    this.changes.push({ service: name, kind, memory: container.spec.memory, ...order });
  }
}
