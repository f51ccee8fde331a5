import { z } from "zod";
import { markdownTable } from "../../test/e2e/lib/table";
import { median } from "../../plan/words/median";

const measured = z.object({
  work: z.string(),
  contender: z.string(),
  seconds: z.number(),
  /** Seconds until a visitor first met the new version; absent where there is none. */
  seen: z.number().optional(),
  sent: z.number(),
  failed: z.number(),
  /** Milliseconds. */
  longestGap: z.number(),
  p99: z.number(),
  /** MiB that the box had in use at most, page cache not counted. */
  peak: z.number(),
});
/** One deploy by one contender. */
export type Measured = z.infer<typeof measured>;

export const runSchema = z.object({
  /** Processors, versions, date. */
  machine: z.string(),
  /** Milliseconds of a round trip to the box. */
  delay: z.number(),
  rounds: z.number(),
  /** Requests a second meanwhile. */
  rate: z.number(),
  results: z.array(measured),
});
/** A whole comparison. */
export type Run = z.infer<typeof runSchema>;

/** All that was measured of one work by one contender, in the order of the rounds. */
export function of(results: readonly Measured[], work: string, contender: string): Measured[] {
  return results.filter((one) => one.work === work && one.contender === contender);
}

export function namesIn(results: readonly Measured[], key: "work" | "contender"): string[] {
  return [...new Set(results.map((one) => one[key]))];
}

export const headOf = ({ machine, delay, rate, rounds }: Omit<Run, "results">): string =>
  `${machine}, ${delay} ms round trip, ${rate} requests/s, ${rounds} rounds`;

/** Medians with their spread; this program's share of each other's time, pair by pair. */
export function tableOf(results: readonly Measured[]): string {
  const [own = "", ...others] = namesIn(results, "contender");
  const rows = namesIn(results, "work").flatMap((work) =>
    [own, ...others].flatMap((name) => {
      const all = of(results, work, name);
      if (all.length === 0) return [];
      const seen = all.flatMap((one) => one.seen ?? []);
      const row = [
        work,
        name,
        spread(all.map(({ seconds }) => seconds)),
        name === own ? "" : ratio(of(results, work, own), all).toFixed(2),
        seen.length === 0 ? "-" : median(seen).toFixed(1),
        `${sum(all.map(({ failed }) => failed))} of ${sum(all.map(({ sent }) => sent))}`,
        String(Math.max(...all.map(({ longestGap }) => longestGap))),
        String(Math.round(median(all.map(({ p99 }) => p99)))),
        String(Math.max(...all.map(({ peak }) => peak))),
      ];
      return [row];
    }),
  );
  const head = [
    "work",
    "by",
    "seconds",
    "our time, of its",
    "new version met, s",
    "requests failed",
    "longest gap, ms",
    "p99, ms",
    "peak, MiB",
  ];
  return markdownTable(head, rows);
}

/** Of the times of two contenders in the same rounds. */
function ratio(own: readonly Measured[], other: readonly Measured[]): number {
  return median(other.map(({ seconds }, i) => (own[i]?.seconds ?? Number.NaN) / seconds));
}

const sum = (figures: readonly number[]): number => figures.reduce((total, one) => total + one, 0);
const spread = (figures: readonly number[]): string =>
  `${median(figures).toFixed(1)} (${Math.min(...figures).toFixed(1)}-${Math.max(...figures).toFixed(1)})`;
