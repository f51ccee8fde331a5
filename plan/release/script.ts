import { routesFile } from "../site/nginx";
import type { Step } from "./plan";

/**
 * What the runner is to do, as it grows verb by verb: the steps, the texts that they install, and what has become of
 * requests and of old versions so far.
 */
export class Script {
  readonly steps: Step[] = [];
  readonly texts: Record<string, string> = {};
  readonly labels: Record<string, string> = {};
  /** Where requests go at this point: service -> container:port, or "hold". */
  live: Record<string, string>;
  /** Where requests go that have waited in vain: to what served before. */
  private fallback: Record<string, string> = {};
  /** Where requests go that have waited for a service which is no more: to what took over its volume. */
  readonly heirs: Record<string, string> = {};
  /** Old one, new one: while a restart of the machine would bring back the old one. */
  private sheltered: (readonly [old: string, by: string])[] = [];

  constructor(live: Readonly<Record<string, string>>) {
    this.live = { ...live };
  }

  do(verb: string, ...args: string[]): void {
    this.steps.push({ verb, arguments: args });
  }

  /** Whether this verb has been laid down for this container. */
  has(verb: string, key: string): boolean {
    return this.steps.some((step) => step.verb === verb && step.arguments[0] === key);
  }

  /** The containers that these verbs have been laid down for. */
  keysOf(...verbs: string[]): Set<string> {
    return new Set(
      this.steps.flatMap(({ verb, arguments: [key = ""] }) => (verbs.includes(verb) ? [key] : [])),
    );
  }

  /** From here on requests to these wait. */
  held(names: readonly string[]): Record<string, string> {
    const served = names.flatMap((name) =>
      [undefined, "hold"].includes(this.live[name]) ? [] : [[name, this.live[name] ?? ""] as const],
    );
    this.fallback = { ...this.fallback, ...Object.fromEntries(served) };
    this.live = { ...this.live, ...Object.fromEntries(names.map((name) => [name, "hold"])) };
    return this.live;
  }

  routes(
    verb: "hold" | "stage" | "route",
    live: Record<string, string>,
    candidate: Record<string, string>,
    label: string,
  ): void {
    const name = `routes-${Object.keys(this.texts).length + 1}`;
    this.texts[name] = routesFile(live, candidate, this.fallback, this.heirs);
    this.labels[name] = label;
    this.do(verb, name);
  }

  /**
   * Stops the old one for the new one. If the machine restarts before `promote`, the old one comes back. One that is
   * its own successor comes back in any case.
   */
  away(old: string, key: string): void {
    this.shelter(old, key);
    this.do("stop", old);
  }

  shelter(old: string, key: string): void {
    this.do("shelter", ...(old === key ? [key] : [old, key]));
    this.sheltered.push([old, key]);
  }

  /** From here on a restart of the machine brings up this one, and not those that it took the place of. */
  promote(key: string): void {
    for (const [old, by] of this.sheltered.filter(([, by]) => by === key)) this.do("promote", by, old);
    this.sheltered = this.sheltered.filter(([, by]) => by !== key);
  }
}
