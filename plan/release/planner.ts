import type { MigrationKind } from "../config/schema";
import { isThere } from "../found/present";
import type { NamedContainer } from "../wanted/container";
import { canonical } from "../wanted/identity";
import { DatabaseSteps } from "./databaseSteps";
import type { Change } from "./plan";
import { ProxySteps } from "./proxySteps";
import { Script } from "./script";
import { ServiceSteps } from "./serviceSteps";
import type { Item, Situation } from "./situation";
import { needsAtStart, planStarts } from "./starts";

/** Lays down the verbs of a release, in their order: the proxy, the database, the services; proof; tidying. */
export class Planner {
  readonly script: Script;
  readonly changes: Change[] = [];
  readonly refusals: string[] = [];
  /** MiB left when the most runs; undefined: the host told nothing. */
  spare: number | undefined;
  private readonly proxy: ProxySteps;
  private readonly database: DatabaseSteps;
  private readonly services: ServiceSteps;

  constructor(
    private readonly situation: Situation,
    site: string,
    routesScript: string,
    private readonly beside: readonly NamedContainer[],
  ) {
    this.script = new Script(situation.live);
    this.proxy = new ProxySteps(situation, this.script, this.changes, site, routesScript);
    this.database = new DatabaseSteps(situation, this.script, this.changes);
    this.services = new ServiceSteps(situation, this.script, this.changes);
  }

  /** Those that run, by key. */
  get migrations(): Readonly<Record<string, MigrationKind>> {
    return this.services.migrations;
  }

  /** What the runner counts again on the host, at the moment of each start. */
  needs(): Record<string, number> {
    return needsAtStart(this.situation, this.spare, this.script.keysOf("start", "migrate"));
  }

  plan(): void {
    this.reattach();
    // The proxy first: health is asked from inside it, and requests that must wait, wait in it.
    this.proxy.lay();
    this.proxy.mend();
    this.database.lay();
    const { services } = this.situation;
    for (const { name, kind, container } of services.filter(({ cure }) => cure !== "start")) {
      this.changes.push({ service: name, kind, memory: container.spec.memory });
    }
    this.services.migrate(services);
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
      (one) => !one.vacant && orders.get(one.name) === "stop-first" && !this.services.hasLeft(one),
    );
    const cured = services.filter((one) => one.cure !== undefined && !instead.includes(one));
    const after = this.healedBy(instead, cured);
    this.services.startBeside(cured.filter((one) => !after.includes(one)));
    for (const item of instead) this.services.exchange(item);
    this.services.startBeside(after);
    this.prove([...cured, ...instead]);
    this.schedule();
    if (this.situation.config.budget?.level === "fail") this.script.do("budget");
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

  /** What runs is connected and limited again before anything else: all that follows may need it. */
  private reattach(): void {
    for (const item of this.situation.items) {
      if (item.kind !== "repair" || item.found === undefined) continue;
      if (item.cure === "revive") this.services.attach(item.container);
      if (this.situation.drifted(item.name, "limits"))
        this.script.do("limit", item.key, String(item.container.spec.memory));
    }
    // What is started later must find its networks then.
    for (const container of this.beside) this.services.attach(container);
  }

  /** What cron is to start is in its table before the release is recorded; until then it finds no such job, and does nothing. */
  private schedule(): void {
    const { config, facts } = this.situation;
    if (Object.keys(config.jobs).length > 0 || (facts.current?.jobs ?? []).length > 0) this.script.do("jobs");
  }

  /** The candidate is tried before any visitor meets it; then everything is switched at once. */
  private prove(started: readonly Item[]): void {
    const siteChanged = this.proxy.changed;
    const final = this.situation.final;
    const switches = canonical(final) !== canonical(this.script.live);
    if (switches) this.script.routes("stage", this.script.live, final, "the new release can be tried");
    if (siteChanged && !this.proxy.installed) this.proxy.install();
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
