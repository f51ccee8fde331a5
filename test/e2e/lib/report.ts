import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sandboxState } from "./checkout";
import type { LoadReport } from "./load";
import { markdownTable } from "./table";

const FILE = join(sandboxState, "e2e-report.md");

/** What was measured on one host: a row for each `up`. */
export class Report {
  private readonly rows: string[][] = [];

  constructor(private readonly title: string) {}

  add(what: string, upSeconds: number, load?: LoadReport): void {
    this.rows.push([
      what,
      upSeconds.toFixed(1),
      ...(load === undefined
        ? ["-", "-", "-", "-", "-", "-"]
        : [load.sent, load.failures.length, load.longestGap, load.p50, load.p99, load.slowest].map(String)),
    ]);
  }

  /** Writes this host's part of the report, keeps the others', and shows it. */
  async write(): Promise<void> {
    const section = `## ${this.title}\n\n${this.table()}\n`;
    const before = await readFile(FILE, "utf8").catch(() => "");
    const others = before
      .split(/^(?=## )/m)
      .filter((part) => part.trim() !== "" && !part.startsWith(`## ${this.title}\n`));
    await mkdir(dirname(FILE), { recursive: true });
    await writeFile(FILE, [...others.map((part) => part.trimEnd() + "\n"), section].join("\n"));
    console.log(`\n${section}`);
  }

  private table(): string {
    const head = [
      "what",
      "up, s",
      "requests",
      "failed",
      "longest gap, ms",
      "p50, ms",
      "p99, ms",
      "slowest, ms",
    ];
    return markdownTable(head, this.rows);
  }
}
