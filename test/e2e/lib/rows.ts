/** Whether every row of the long tables is tried: in CI, and by `npm run test:all`. */
export const everyRow = process.env["TESTS"] === "all";

/**
 * A long table's rows: all of them, or, where people wait for the tests, those that stand for the others.
 * @throws Error when none would be left: a table that tries nothing proves nothing
 */
export function rows<T>(all: readonly T[], standsForOthers: (row: T) => boolean): readonly T[] {
  const chosen = everyRow ? all : all.filter(standsForOthers);
  if (chosen.length === 0) throw new Error("no row of the table is tried");
  return chosen;
}
