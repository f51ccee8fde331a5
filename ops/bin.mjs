#!/usr/bin/env node
// Runs ops/main.ts, made ready by the loader.
import { createRequire } from "node:module";
import process from "node:process";

// Whoever reads the output may have had enough of it (head), and a terminal's window may be closed: that is no failure, and
// no reason to break off in the middle of what was begun.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
}

const require = createRequire(import.meta.url);
require("../loader/lazy.cjs").lazilyWhatIsNotUsed();
const { prepared } = require("../loader/prepared.cjs");
const { main } = await prepared("ops/main.ts");
process.exitCode = await main(process.argv.slice(2));
