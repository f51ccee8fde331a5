#!/usr/bin/env node
// Runs ops/main.ts as it stands: tsx reads TypeScript.
import { register } from "tsx/cjs/api";
import { createRequire } from "node:module";
import process from "node:process";

register();
const { main } = createRequire(import.meta.url)("./main.ts");
process.exitCode = await main(process.argv.slice(2));
