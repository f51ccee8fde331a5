import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { pluginOf } from "./support/plugins";

// Names what the other tests of this folder have tried: the same tests hold for the real plugins and for stand-ins.
const plugins = ["@pulumi/docker", "@pulumi/command", "@pulumi/random"].map(pluginOf);
const cli = execFileSync("pulumi", ["version"], { encoding: "utf8" }).trim();

test(`the CLI is ${cli}`, () => {
  expect(cli).toMatch(/^v3\.\d+\.\d+/);
});

test.each(plugins)("plugin $name $version is the $kind one", ({ version, path }) => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(path).toContain("pulumi-resource-");
});
