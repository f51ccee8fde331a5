#!/usr/bin/env node
// Runs ops/main.ts as it stands: tsx reads TypeScript.
import { register } from "tsx/cjs/api";
import { createRequire } from "node:module";
import process from "node:process";

// Whoever reads the output may have had enough of it (head), and a terminal's window may be closed: that is no failure, and
// no reason to break off in the middle of what was begun.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
}

register();
const { main } = createRequire(import.meta.url)("./main.ts");
process.exitCode = await main(process.argv.slice(2));
