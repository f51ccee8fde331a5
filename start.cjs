// Where `pulumi` begins: the program is index.ts, made ready to run by the loader.
"use strict";

const { lazily } = require("./loader/lazy.cjs");
const { prepared } = require("./loader/prepared.cjs");

// Pulumi's SDK loads these for what this program never does (functions as code, the automation API): 0.3 s a run.
lazily("@pulumi/pulumi/typescript-shim", "@pulumi/pulumi/automation");
lazily.from("@pulumi/pulumi/package.json", "@npmcli/arborist");

module.exports = async () => (await prepared("index.ts"))();
