import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const lazy = join(__dirname, "..", "..", "loader", "lazy.cjs");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lazy-"));
  writeFileSync(join(folder, "late.js"), 'console.log("loaded"); exports.word = "late"; exports.other = 1;');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function run(script: string): string[] {
  const setup = `const { lazily } = require(${JSON.stringify(lazy)}); lazily(${JSON.stringify(join(folder, "late.js"))});
    const late = require(${JSON.stringify(join(folder, "late.js"))}); console.log("required");`;
  return execFileSync(process.execPath, ["-e", setup + script], { encoding: "utf8" })
    .trim()
    .split("\n");
}

it("a module is loaded when something of it is used, once", () => {
  expect(run('console.log(late.word); console.log(late.other + (late.none ?? ""))')).toEqual([
    "required",
    "loaded",
    "late",
    "1",
  ]);
});

it("and not at all if nothing is", () => {
  expect(run("console.log(late.__esModule)")).toEqual(["required", "true"]);
});

it("its names can be listed, asked for and copied", () => {
  expect(run('console.log("word" in late, Object.keys(late).join(), { ...late }.word)')).toEqual([
    "required",
    "loaded",
    "true word,other late",
  ]);
});

it("a module that is not installed is left to whoever requires it", () => {
  const script = `const { lazily } = require(${JSON.stringify(lazy)}); lazily("no-such-module");
    lazily.from("no-such-place", "yaml"); try { require("no-such-module"); } catch ({ code }) { console.log(code); }`;
  expect(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim()).toBe(
    "MODULE_NOT_FOUND",
  );
});
