/**
 * docs/benchmarks.md's tables and its chart, out of what `npm run bench -- --json FILE` has written.
 *
 *   npx tsx bench/report.ts FILE...          prints the tables, writes docs/benchmarks.svg
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./lib/chart";
import { type Run, headOf, runSchema, tableOf } from "./lib/results";

const runs: Run[] = process.argv
  .slice(2)
  .map((file) => runSchema.parse(JSON.parse(readFileSync(file, "utf8"))));
if (runs.length === 0) throw new Error("which files? npx tsx bench/report.ts FILE...");
for (const run of runs) console.log(`${headOf(run)}\n\n${tableOf(run.results)}\n`);
writeFileSync(join(__dirname, "..", "docs", "benchmarks.svg"), chart(runs));
