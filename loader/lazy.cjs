// Modules that are loaded when something of them is used, and not when they are required.
"use strict";

const Module = require("node:module");

/** The same modules, seen from here. A name that cannot be found is left to whoever requires it. */
function lazily(...names) {
  for (const name of names) defer(require, name);
}

/** Seen from another package: what only it depends on. */
lazily.from = (place, ...names) => {
  const outer = find(require, place);
  if (outer !== undefined) for (const name of names) defer(Module.createRequire(outer), name);
};

function defer(from, name) {
  const file = find(from, name);
  if (file === undefined || require.cache[file] !== undefined) return;
  const load = () => {
    if (require.cache[file] === promise) Reflect.deleteProperty(require.cache, file);
    return from(file);
  };
  const promise = new Module(file);
  promise.filename = file;
  promise.loaded = true;
  // `__esModule` is asked for by whoever imports it, before anything is used.
  promise.exports = new Proxy(
    {},
    {
      get: (_, key) => (key === "__esModule" ? true : load()[key]),
      has: (_, key) => key in load(),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Object.getOwnPropertyDescriptor(load(), key);
        // The rule of proxies: what its own target does not have must be said to be changeable.
        return found && { ...found, configurable: true };
      },
    },
  );
  require.cache[file] = promise;
}

function find(from, name) {
  try {
    return from.resolve(name);
  } catch {
    return undefined;
  }
}

/**
 * Pulumi's SDK loads these for what this program never does (functions as code, the automation API): 0.3 s a run. What reads
 * the time of a job is for stacks that have one.
 */
function lazilyWhatIsNotUsed() {
  lazily("cron-parser");
  lazily("@pulumi/pulumi/typescript-shim", "@pulumi/pulumi/automation");
  lazily.from("@pulumi/pulumi/package.json", "@npmcli/arborist", "normalize-package-data");
}

module.exports = { lazily, lazilyWhatIsNotUsed };
