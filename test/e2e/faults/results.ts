import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sandboxState } from "../lib/checkout";
import type { LoadReport } from "../lib/load";
import { markdownTable } from "../lib/table";

const HEAD = [
  "fault",
  "at",
  "result",
  "requests",
  "failed",
  "longest gap, s",
  "back by itself, s",
  "the up it hit",
  "converging up, s",
];

export interface Cell {
  readonly fault: string;
  readonly at: string;
  /** Undefined when the cell failed before it was measured. */
  readonly load?: LoadReport | undefined;
  /** Seconds until the site answered again. */
  readonly back?: number | undefined;
  /** How the interrupted up ended. */
  readonly hit?: string | undefined;
  readonly converged?: number | undefined;
  readonly result: string;
}

/** The table of faults; written after each cell, so that a run that is stopped leaves what it has seen. */
export class Results {
  private readonly rows: string[][] = [];
  private readonly file: string;
  /** What each `up` that was hit said, a file each. */
  private readonly folder: string;

  constructor(name: string) {
    this.file = join(sandboxState, `${name}.md`);
    this.folder = join(sandboxState, name);
  }

  async said(fault: string, at: string, text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, `${fault}, ${at}.txt`.replaceAll(" ", "-")), text);
  }

  async add({ fault, at, load, back, hit, converged, result }: Cell): Promise<void> {
    const seconds = (value: number | undefined) => value?.toFixed(1) ?? "-";
    this.rows.push([
      fault,
      at,
      result,
      String(load?.sent ?? "-"),
      String(load?.failures.length ?? "-"),
      seconds(load && load.longestGap / 1000),
      seconds(back),
      hit ?? "-",
      seconds(converged),
    ]);
    await writeFile(this.file, `${markdownTable(HEAD, this.rows)}\n`);
  }
}
