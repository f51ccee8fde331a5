/** What visitors met while a release ran, as the host has measured it (host/lib/met.sh). */
export interface Met {
  /** Their requests that ended meanwhile; none are counted where proxy.accessLog is off. */
  readonly visitors: number;
  /** Of these: answered by nobody, or broken off. */
  readonly failed: number;
  /** Of these: 5xx that a service answered itself. */
  readonly errors: number;
  /** Of these: those that waited while their service was exchanged. */
  readonly held: number;
  /** Seconds that one waited at most. */
  readonly heldFor: number;
  /** The half minute before, until the route, and from then on: requests, and milliseconds. */
  readonly before: Times;
  readonly during: Times;
  readonly after: Times;
  /** Our own requests meanwhile; undefined: nobody could ask. */
  readonly probed: { readonly asked: number; readonly failed: number; readonly gap: number } | undefined;
  /** MiB of the host that were in use at most. */
  readonly memory: { readonly most: number; readonly total: number } | undefined;
}

export interface Times {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * @param value the values of a word of the ledger's entry, as one text
 * @returns undefined: it was not measured, as by an older program
 */
export function parseMet(value: (word: string) => string | undefined): Met | undefined {
  const numbers = (word: string) => value(word)?.split(" ").map(Number) ?? [];
  const [visitors] = numbers("visitors");
  if (visitors === undefined) return undefined;
  const [failed = 0] = numbers("failed");
  const [errors = 0] = numbers("errors");
  const [held = 0, heldFor = 0] = numbers("held");
  const [requests = 0, , ...before] = numbers("met-before");
  const probed = numbers("probed");
  const memory = numbers("memory");
  return {
    visitors,
    failed,
    errors,
    held,
    heldFor,
    before: timesOf([requests, ...before]),
    during: timesOf(numbers("met-during")),
    after: timesOf(numbers("met-after")),
    probed:
      probed[0] === undefined ? undefined : { asked: probed[0], failed: probed[1] ?? 0, gap: probed[2] ?? 0 },
    memory: memory[0] === undefined ? undefined : { most: memory[0], total: memory[1] ?? 0 },
  };
}

const timesOf = ([requests = 0, p50 = 0, p99 = 0]: readonly number[]): Times => ({ requests, p50, p99 });

/** What of it the runner says in its last words; undefined: it said nothing of it. */
export type MetInShort = Pick<Met, "visitors" | "failed" | "held" | "heldFor"> & {
  /** Seconds. */
  readonly gap: number | undefined;
  readonly memory: Met["memory"];
};

const SAID =
  /^visitors: (\d+) requests, (\d+) failed, (\d+) waited(?: for at most ([\d.]+) s)?(?:; longest gap ([\d.]+) s)?(?:; memory at most (\d+) of (\d+) MiB)?$/m;

export function metIn(said: string): MetInShort | undefined {
  const found = SAID.exec(said);
  if (found === null) return undefined;
  const [, visitors, failed, held, heldFor, gap, most, total] = found;
  return {
    visitors: Number(visitors),
    failed: Number(failed),
    held: Number(held),
    heldFor: Number(heldFor ?? 0),
    gap: gap === undefined ? undefined : Number(gap),
    memory: most === undefined ? undefined : { most: Number(most), total: Number(total) },
  };
}
