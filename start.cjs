// Where `pulumi` begins: the program is index.ts, made ready to run by the loader.
"use strict";

const { lazilyWhatIsNotUsed } = require("./loader/lazy.cjs");
const { prepare, prepared } = require("./loader/prepared.cjs");

lazilyWhatIsNotUsed();

module.exports = async () => {
  const program = await prepared("index.ts");
  // For the next run.
  await prepare("host/early.ts");
  return program();
};
