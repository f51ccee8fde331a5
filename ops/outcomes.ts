import { colors } from "./colors";
import { EXIT } from "./exit";
import { table } from "./table";

/** What has been looked at, and how it was found. */
interface Outcome {
  readonly outcome: "pass" | "warn" | "stop";
  readonly words: string;
}

const PAINT = { pass: colors.green, warn: colors.yellow, stop: colors.red };

/** 0 all as wanted, 2 warnings, 1 a stop. */
export function exitOf(found: readonly Outcome[]): number {
  if (found.some(({ outcome }) => outcome === "stop")) return EXIT.failed;
  return found.some(({ outcome }) => outcome === "warn") ? EXIT.differs : EXIT.done;
}

/**
 * @param head of the column that says what was looked at
 * @param what it was
 */
export function renderOutcomes<T extends Outcome>(
  head: string,
  found: readonly T[],
  what: (one: T) => string,
): string {
  return table(
    ["", head, "found"],
    found.map((one) => [PAINT[one.outcome](one.outcome), what(one), one.words]),
  );
}
