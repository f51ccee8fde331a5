import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageTag } from "../../../plan/release/stack";
import { type Build, whyBuilt } from "../../../plan/wanted/build";
import { ContextError } from "../../../plan/wanted/context/problem";
import { change, LEAST, read } from "../support/config";
import { buildOf, makeProject, NAMES } from "../support/stack";

let root = "";
beforeEach(() => {
  root = makeProject({
    "web/Dockerfile": "FROM scratch",
    "web/Dockerfile.small": "FROM scratch\nLABEL size=small",
    "web/server.js": "1",
    "web/lib/log.js": "1",
    "web/notes.md": "1",
    "web/.dockerignore": "*.md",
  });
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

type Edit = readonly [path: string, value: unknown];
function build(edits: readonly Edit[] = [], platform = "linux/amd64", refresh = ""): Build {
  const web = edits.reduce(
    (values, [name, value]) => change(values, `services.web.${name}`, value),
    change(LEAST, "services.web", { source: "web", memory: 64 }),
  );
  return buildOf(root, read(web), platform, refresh);
}
const write = (name: string, text: string): void => {
  fs.writeFileSync(path.join(root, "web", name), text);
};

describe("a build", () => {
  it("is what the builder is told, with no path of this machine", () => {
    const one = build([
      ["target", "run"],
      ["args", { COMMIT: 1 }],
    ]);
    expect(one).toMatchObject({
      context: "web",
      dockerfile: "web/Dockerfile",
      target: "run",
      args: { COMMIT: "1" },
      platform: "linux/amd64",
    });
    expect(one.hash).toMatch(/^[0-9a-f]{12}$/);
    expect(JSON.stringify(one)).not.toContain(root);
    expect(imageTag(NAMES, "web", one)).toBe(`shop/test/web:${one.hash}`);
  });

  it("has a Dockerfile below its source or beside it", () => {
    fs.writeFileSync(path.join(root, "Dockerfile.web"), "FROM scratch");
    expect(build([["dockerfile", "../Dockerfile.web"]]).dockerfile).toBe("Dockerfile.web");
  });

  it.each<[what: string, edits: Edit[]]>([
    ["folder", [["source", "nowhere"]]],
    ["Dockerfile", [["dockerfile", "nowhere"]]],
  ])("without its %s is an error that says which", (_, edits) => {
    expect(() => build(edits)).toThrow(ContextError);
    expect(() => build(edits)).toThrow("nowhere: does not exist");
  });
});

describe("why an image is built", () => {
  const why = (change: () => Build): string => {
    const before = build();
    const after = change();
    expect(after.hash).not.toBe(before.hash);
    return whyBuilt(after, { ...before, why: "first build" });
  };

  it.each<[reason: string, change: () => Build]>([
    ["server.js changed", () => (write("server.js", "2"), build())],
    ["server.js changed (+1 more)", () => (write("server.js", "2"), write("new.js", "2"), build())],
    ["lib/log.js removed", () => (fs.rmSync(path.join(root, "web/lib/log.js")), build())],
    ["Dockerfile changed", () => (write("Dockerfile", "FROM scratch\nUSER 5"), build())],
    [".dockerignore changed (+2 more)", () => (write(".dockerignore", "lib"), build())],
    ["another Dockerfile or .dockerignore is used", () => build([["dockerfile", "Dockerfile.small"]])],
    ["target changed", () => build([["target", "debug"]])],
    ["build argument COMMIT changed", () => build([["args", { COMMIT: "1" }]])],
    ["platform changed", () => build([], "linux/arm64")],
    ["base images refreshed", () => build([], undefined, "2026-11-23")],
    ["server.js changed, target changed", () => (write("server.js", "2"), build([["target", "debug"]]))],
  ])("%s", (reason, change) => {
    expect(why(change)).toBe(reason);
  });

  it("is that there was none before", () => {
    expect(whyBuilt(build(), undefined)).toBe("first build");
  });

  it("is still the last reason while nothing changes", () => {
    const before = build();
    write("notes.md", "2");
    fs.utimesSync(path.join(root, "web/server.js"), 1, 1);
    const after = build();
    expect(after.hash).toBe(before.hash);
    expect(whyBuilt(after, { ...before, why: "server.js changed" })).toBe("server.js changed");
  });
});
