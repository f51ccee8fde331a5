import { type Budget, budget, chooseOrders, headroom, mostAtOnce, needAtStart, type Order } from "./memory";
import type { Change } from "./plan";
import type { Item, Situation } from "./situation";

/** Who starts beside its predecessor, who instead of it, and whether the host has memory for that. */
export interface Starts {
  readonly orders: ReadonlyMap<string, Order>;
  readonly changes: readonly Change[];
  readonly refusals: readonly string[];
  /** MiB left by all limits at the moment when the most runs, migrations too; undefined: the host told nothing. */
  readonly spare: number | undefined;
}

/**
 * @param started the services that are started
 * @param migrating the keys of the migrations that run
 */
export function planStarts(
  situation: Situation,
  started: readonly Item[],
  migrating: ReadonlySet<string>,
): Starts {
  const available: Budget | undefined = budget(situation.facts, situation.config.host.memory);
  const starts = started.map((item) => {
    const { name, container, vacant, order, exclusive } = item;
    const holders = situation.holders(item);
    const free = vacant && holders.length === 0;
    // Of a holder that has a successor of its own, the memory is counted there.
    const freed = [
      ...(vacant ? [] : [name]),
      ...holders.map(({ service }) => service).filter((service) => !situation.isWanted(service)),
    ];
    return {
      name,
      memory: container.spec.memory,
      replaces: free ? undefined : freed.reduce((sum, one) => sum + situation.recordedMemory(one), 0),
      order: free ? ("auto" as const) : exclusive.length > 0 ? ("stop-first" as const) : order,
    };
  });
  const running = limitsOfRunning(situation);
  const chosen = chooseOrders(starts, running, available);
  const most = Math.max(mostAtOnce(starts, running, chosen), running + migrationLimit(situation, migrating));
  return {
    orders: new Map([...chosen].map(([name, { order }]) => [name, order])),
    changes: started.map(({ name, kind, container }) => ({
      service: name,
      kind,
      memory: container.spec.memory,
      ...chosen.get(name),
    })),
    refusals: starts.flatMap(({ name, order }) => {
      const left = chosen.get(name)?.headroom ?? 0;
      return order === "start-first" && left < 0 ? [refusal(name, -left)] : [];
    }),
    spare: available && headroom(available, most),
  };
}

/** What the runner counts again on the host, at the moment of each start: MiB by container. */
export function needsAtStart(
  { items }: Situation,
  spare: number | undefined,
  started: ReadonlySet<string>,
): Record<string, number> {
  if (spare === undefined) return {};
  const all = items.flatMap(({ container, migration }) => [container, ...(migration ? [migration] : [])]);
  return Object.fromEntries(
    all.flatMap(({ key, spec }) => (started.has(key) ? [[key, needAtStart(spec.memory, spare >= 0)]] : [])),
  );
}

/** MiB: the limits of what runs when the first service starts: all that serves, database and proxy as wanted. */
function limitsOfRunning(situation: Situation): number {
  const wanted = situation.items.reduce((sum, { name, container, vacant }) => {
    if (container.spec.role !== "service") return sum + container.spec.memory;
    return sum + (vacant ? 0 : situation.recordedMemory(name));
  }, 0);
  return situation.gone.reduce((sum, { service }) => sum + situation.recordedMemory(service), wanted);
}

/** MiB: migrations run one after the other, before anything is switched, each beside all that serves. */
function migrationLimit({ items }: Situation, migrating: ReadonlySet<string>): number {
  const limits = items.flatMap(({ migration }) =>
    migration !== undefined && migrating.has(migration.key) ? [migration.spec.memory] : [],
  );
  return Math.max(0, ...limits);
}

function refusal(name: string, missing: number): string {
  return (
    `services.${name}.order: start-first needs ${missing} MiB more than the host has to spare; ` +
    "use auto or stop-first, or lower a memory limit"
  );
}
