import Table, { type HorizontalAlignment } from "cli-table3";

/** Columns under their heads, without lines or blanks at their ends; `aligns`: one for each column, all left if absent. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  aligns: readonly HorizontalAlignment[] = [],
): string {
  const drawn = new Table({
    head: [...head],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    colAligns: [...aligns],
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString().replaceAll(/ +$/gm, "");
}

const NO_LINES = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
    "middle",
  ].map((part) => [part, ""]),
);
