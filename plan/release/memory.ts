import type { Facts } from "../found/facts";

/**
 * Whether a new version may run beside the old one. What must fit into the host's memory together: the limits of our
 * containers (not their use: they may grow to it), and what everything else on the host uses now.
 */
export interface Budget {
  /** MiB. */
  readonly total: number;
  /**
   * MiB taken by what is not ours: what the system, the engine and other stacks use; of others' containers with a limit
   * the whole limit, because they may grow to it as ours may.
   */
  readonly others: number;
}

/** @param limit MiB, from config; the least of this and what the host has counts. Undefined: the host told nothing. */
export function budget(facts: Facts, limit: number | undefined): Budget | undefined {
  if (facts.memory === undefined) return undefined;
  const { total, used, ours, promised = 0 } = facts.memory;
  const mib = Math.floor(total / 1024);
  return {
    total: Math.min(mib, limit ?? mib),
    others: Math.ceil((Math.max(0, used - ours) + promised) / 1024),
  };
}

/** MiB left when containers with these limits run. Negative: they do not fit. */
export function headroom({ total, others }: Budget, limits: number): number {
  return total - others - limits;
}

export type Order = "start-first" | "stop-first";

/** A service that a release starts. */
export interface Start {
  readonly name: string;
  /** MiB. */
  readonly memory: number;
  /** MiB of the version that it replaces; undefined: nothing runs in its place. */
  readonly replaces: number | undefined;
  readonly order: "auto" | Order;
}

export interface ChosenOrder {
  readonly order: Order;
  /** MiB left if it starts beside what it replaces, when the most runs; undefined: the host told nothing. */
  readonly headroom: number | undefined;
}

/**
 * Who starts beside its predecessor, and who instead of it: as configured, and else as memory allows.
 *
 * @param starts in the order of the release; those that start beside their predecessors all do so before the others
 * @param running MiB: the limits of what runs before the first of them starts
 */
export function chooseOrders(
  starts: readonly Start[],
  running: number,
  available: Budget | undefined,
): Map<string, ChosenOrder> {
  const orders = new Map(starts.map((one) => [one.name, leastOrder(one)]));
  const spare = (name: string): number | undefined =>
    available && headroom(available, most(starts, running, new Map(orders).set(name, "start-first")));
  // What is configured comes first, so that a choice made here never makes it impossible.
  const asked = starts.filter(({ order }) => order === "start-first");
  for (const { name } of asked) orders.set(name, "start-first");
  for (const { name, order } of starts) {
    if (order === "auto" && (spare(name) ?? 0) >= 0) orders.set(name, "start-first");
  }
  return new Map(
    starts.map(({ name }) => [name, { order: orders.get(name) ?? "start-first", headroom: spare(name) }]),
  );
}

/**
 * MiB that must be free when a container is started: all that it may take. Where the limits do not fit into the host
 * anyway, because who configured them counts on use, half of it: asking for all would refuse what has always worked.
 */
export function needAtStart(limit: number, fits: boolean): number {
  return fits ? limit : Math.ceil(limit / 2);
}

/** The order that takes the least memory. What replaces nothing just starts. */
function leastOrder({ replaces }: Start): Order {
  return replaces === undefined ? "start-first" : "stop-first";
}

/** MiB: the limits of all that runs, at the moment when the most does. */
export function mostAtOnce(
  starts: readonly Start[],
  running: number,
  chosen: ReadonlyMap<string, { readonly order: Order }>,
): number {
  return most(starts, running, new Map([...chosen].map(([name, { order }]) => [name, order])));
}

function most(starts: readonly Start[], running: number, orders: ReadonlyMap<string, Order>): number {
  const beside = starts.filter(({ name }) => orders.get(name) === "start-first");
  const instead = starts.filter(({ name }) => orders.get(name) === "stop-first");
  let now = beside.reduce((sum, { memory }) => sum + memory, running);
  let peak = now;
  for (const { memory, replaces = 0 } of instead) {
    now += memory - replaces;
    peak = Math.max(peak, now);
  }
  return peak;
}
