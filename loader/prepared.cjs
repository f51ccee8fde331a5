// The program in one file of JavaScript, made by esbuild when its sources are new, and kept under the name of their
// content: so what runs is always what the sources say, and most runs transpile nothing and load one file for a hundred.
// Pulumi's own packages stay outside.
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const ROOT = path.dirname(__dirname);
/** Beside the copies of build contexts: made by the program, ignored by git, no part of any context. */
const KEPT = path.join(ROOT, ".build", "program");
const SOURCES = ["index.ts", "plan", "components", "host", "deployer", "ops", "loader", "tsconfig.json"];
/** What is installed, as npm writes it down there. */
const INSTALLED = ["package.json", "package-lock.json", "node_modules/.package-lock.json"];
/** Pulumi's packages must be the very ones that run this program. */
const OUTSIDE = ["@pulumi/*", "@grpc/*", "google-protobuf", "esbuild", "cron-parser"];
/** Programs that stay: another branch, the one before. */
const MOST = 9;

/**
 * @param entry relative to the project: index.ts, ops/main.ts
 * @returns what it exports
 */
async function prepared(entry) {
  // Compiled code of all modules is kept too, where Node knows how (22.8 and later).
  Module.enableCompileCache?.();
  const unkept = await prepare(entry);
  return unkept === undefined ? require(placeOf(entry)) : run(unkept, placeOf(entry));
}

/** Makes it, if that has not been done. @returns its text where nothing can be kept */
async function prepare(entry) {
  if (isWhole(placeOf(entry))) return undefined;
  const text = await bundle(entry);
  return keep(placeOf(entry), text) ? undefined : text;
}

/** @returns what it exports, if it has been prepared */
function ready(entry) {
  return isWhole(placeOf(entry)) ? require(placeOf(entry)) : undefined;
}

let content;
function placeOf(entry) {
  content ??= contentOf([...SOURCES, ...INSTALLED]);
  return path.join(KEPT, `${entry.replace(/\W+/g, "-")}-${content}.cjs`);
}

/** One name for all of the sources, and for what makes JavaScript of them. */
function contentOf(places) {
  const hash = createHash("sha256").update(
    `${process.versions.node}\n${require("esbuild/package.json").version}\n`,
  );
  const add = (place) => {
    const file = path.join(ROOT, place);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(file).sort()) add(path.join(place, name));
      return;
    }
    // All else is read when it is needed: the scripts for the host.
    if (!/\.(ts|cjs|json)$/.test(place)) return;
    hash.update(`${place}\0${stat.size}\0`).update(fs.readFileSync(file));
  };
  places.forEach(add);
  return hash.digest("hex").slice(0, 16);
}

async function bundle(entry) {
  const { build, stop } = require("esbuild");
  const building = withoutConfig(() =>
    build({
      absWorkingDir: ROOT,
      entryPoints: [entry],
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
      // What is loaded as it is installed; of the others only what is used comes along.
      external: OUTSIDE,
      mainFields: ["module", "main"],
      target: `node${process.versions.node.split(".")[0]}`,
      // Names of functions and classes stand in messages and traces.
      keepNames: true,
      logLevel: "silent",
      banner: { js: `const ROOT_OF_PROJECT = require("node:path").join(__dirname, "../..");` },
      plugins: [{ name: "own-folder", setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, withItsFolder) }],
    }),
  );
  const { outputFiles } = await building.finally(stop);
  return `${outputFiles[0].text}\n${END}`;
}

/** The compiler is a program of its own, started in the call: what the CLI gives this process alone is not for it. */
function withoutConfig(work) {
  const kept = Object.entries(process.env).filter(([name]) => name.startsWith("PULUMI_"));
  for (const [name] of kept) Reflect.deleteProperty(process.env, name);
  try {
    return work();
  } finally {
    Object.assign(process.env, Object.fromEntries(kept));
  }
}

/** In a bundle all files lie in one folder; those that ask for theirs get it. */
function withItsFolder({ path: file }) {
  const text = fs.readFileSync(file, "utf8");
  if (!/\b__dirname\b/.test(text) || file.includes("node_modules")) return { contents: text, loader: "ts" };
  const folder = path.relative(ROOT, path.dirname(file));
  return {
    contents: `const __dirname = require("node:path").join(ROOT_OF_PROJECT, ${JSON.stringify(folder)});\n${text}`,
    loader: "ts",
  };
}

/** The last line: without it the machine stopped before the file was on its disk. */
const END = "// The end of the program.\n";

function isWhole(file) {
  try {
    const handle = fs.openSync(file, "r");
    try {
      const tail = Buffer.alloc(END.length);
      fs.readSync(handle, tail, 0, tail.length, fs.fstatSync(handle).size - tail.length);
      return tail.toString() === END;
    } finally {
      fs.closeSync(handle);
    }
  } catch {
    return false;
  }
}

/** In one rename: another run reads the whole of it or nothing. @returns false where nothing can be written */
function keep(file, text) {
  try {
    fs.mkdirSync(KEPT, { recursive: true });
    const draft = `${file}.${process.pid}`;
    fs.writeFileSync(draft, text);
    fs.renameSync(draft, file);
    const aged = fs.readdirSync(KEPT).map((name) => path.join(KEPT, name));
    const times = new Map(
      aged.map((one) => [one, fs.statSync(one, { throwIfNoEntry: false })?.mtimeMs ?? 0]),
    );
    aged.sort((a, b) => times.get(b) - times.get(a));
    for (const old of aged.slice(MOST)) fs.rmSync(old, { force: true });
    return true;
  } catch {
    return false;
  }
}

function run(text, file) {
  const module = new Module(file, require.main);
  module.filename = file;
  module.paths = Module._nodeModulePaths(path.dirname(file));
  module._compile(text, file);
  return module.exports;
}

module.exports = { prepare, prepared, ready };
