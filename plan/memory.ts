import type { Facts } from "./facts";

/**
 * Whether a new version may run beside the old one. What must fit into the host's memory together: the limits of our
 * containers (not their use: they may grow to it), and what everything else on the host uses now.
 */
export interface Budget {
  /** MiB. */
  readonly total: number;
  /** MiB used by what is not ours: the system, the engine, other stacks. */
  readonly others: number;
}

/** @param limit MiB, from config; the least of this and what the host has counts. Undefined: the host told nothing. */
export function budget(facts: Facts, limit: number | undefined): Budget | undefined {
  if (facts.memory === undefined) return undefined;
  const { total, used, ours } = facts.memory;
  const mib = Math.floor(total / 1024);
  return { total: Math.min(mib, limit ?? mib), others: Math.ceil(Math.max(0, used - ours) / 1024) };
}

/** MiB left when containers with these limits run. Negative: they do not fit. */
export function headroom({ total, others }: Budget, limits: number): number {
  return total - others - limits;
}
