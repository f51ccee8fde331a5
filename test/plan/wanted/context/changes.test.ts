import { describe, expect, it } from "vitest";
import { changedPaths, describeChange, summarize } from "../../../../plan/wanted/context/changes";
import type { ContextManifest } from "../../../../plan/wanted/context/manifest";

describe("changed paths", () => {
  it("are sorted into added, removed and changed", () => {
    const before = { a: "1", b: "1", c: "1", z: "1" };
    const after = { y: "1", x: "1", c: "2", a: "2", b: "1" };
    expect(changedPaths(before, after)).toEqual({ added: ["x", "y"], removed: ["z"], changed: ["a", "c"] });
  });

  it("may have the names of what every object has", () => {
    const before = { constructor: "1" };
    const after = JSON.parse('{ "__proto__": "1", "constructor": "1", "toString": "1" }') as Record<
      string,
      string
    >;
    expect(changedPaths(before, after)).toEqual({
      added: ["__proto__", "toString"],
      removed: [],
      changed: [],
    });
  });
});

describe("the line for people", () => {
  it.each<[before: Record<string, string> | undefined, after: Record<string, string>, line: string]>([
    [undefined, { a: "1" }, "first build"],
    [{ a: "1" }, { a: "1" }, "no file changed"],
    [{ a: "1" }, { a: "2" }, "a changed"],
    [{ a: "1", b: "1", c: "1" }, { a: "2", b: "2", d: "1" }, "a changed (+3 more)"],
    [{}, { "src/a": "1", src: "1" }, "src/a added"],
    [{ "src/a": "1", src: "1", b: "1" }, { b: "1" }, "src/a removed"],
    [{}, { empty: "1" }, "empty added"],
    [{ a: "1" }, { b: "1" }, "b added (+1 more)"],
  ])("%j to %j", (before, after, line) => {
    expect(describeChange(before, after)).toBe(line);
  });
});

describe("the summary", () => {
  const digest = (digit: string): string => digit.repeat(64);
  const manifest: ContextManifest = {
    entries: [
      { path: ".dockerignore", kind: "file", digest: digest("1") },
      { path: "__proto__", kind: "file", digest: digest("2") },
    ],
    dockerfile: { path: "../Dockerfile", digest: digest("3") },
    ignoreFile: { path: ".dockerignore", digest: digest("4") },
    leftOut: [],
  };

  it("has each path once, the Dockerfile also when it is not in the context", () => {
    expect(Object.entries(summarize(manifest)).sort()).toEqual([
      ["../Dockerfile", "333333333333"],
      [".dockerignore", "111111111111"],
      ["__proto__", "222222222222"],
    ]);
  });

  it("survives being kept as JSON", () => {
    const kept = JSON.parse(JSON.stringify(summarize(manifest))) as Record<string, string>;
    expect(describeChange(kept, summarize(manifest))).toBe("no file changed");
  });
});
