import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readContext } from "../../../../plan/wanted/context/context";
import { contextDigest } from "../../../../plan/wanted/context/manifest";
import { ContextError } from "../../../../plan/wanted/context/problem";
import { below, touch } from "../../../support/walk";

// The same cases on every run, and few, because each makes two trees of files.
fc.configureGlobal({ seed: 2010, numRuns: 30 });

let root = "";
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "context-"));
  // Another user reads it in the tests of permissions.
  fs.chmodSync(root, 0o755);
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

type Tree = Record<string, string | Buffer | { readonly link: string } | { readonly script: string } | null>;

/** Makes files (text), scripts (executable), links, and empty directories (null) in a new directory. */
function make(tree: Tree, dir = path.join(root, "context")): string {
  fs.mkdirSync(dir, { recursive: true });
  for (const [name, what] of Object.entries(tree)) {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (what === null) fs.mkdirSync(file, { recursive: true });
    else if (typeof what === "string" || Buffer.isBuffer(what)) fs.writeFileSync(file, what, { mode: 0o644 });
    else if ("link" in what) fs.symlinkSync(what.link, file);
    else fs.writeFileSync(file, what.script, { mode: 0o755 });
  }
  return dir;
}

const read = (dir: string): ReturnType<typeof readContext> => readContext(dir, path.join(dir, "Dockerfile"));
const paths = (dir: string, dockerfile = path.join(dir, "Dockerfile")): string[] =>
  readContext(dir, dockerfile).entries.map((entry) => entry.path);
const digestOf = (dir: string): string => contextDigest(read(dir));

describe("what is in the manifest", () => {
  it("files, links, and directories, empty ones too, sorted by bytes", () => {
    const dir = make({
      Dockerfile: "FROM scratch",
      "b/c": "x",
      "b-": "x",
      b0: "x",
      ".env": "x",
      empty: null,
      é: "x",
      Z: "x",
      l: { link: "b" },
      dangling: { link: "nowhere" },
    });
    expect(read(dir).entries.map(({ path: name, kind }) => [name, kind])).toEqual([
      [".env", "file"],
      ["Dockerfile", "file"],
      ["Z", "file"],
      ["b", "directory"],
      ["b-", "file"],
      ["b/c", "file"],
      ["b0", "file"],
      ["dangling", "link"],
      ["empty", "directory"],
      ["l", "link"],
      ["é", "file"],
    ]);
  });

  it("a digest is of content and executable bit", () => {
    const dir = make({ Dockerfile: "", a: "x", b: "x", c: "y", s: { script: "x" }, l: { link: "x" } });
    const digests = new Map(read(dir).entries.map((entry) => [entry.path, entry.digest]));
    expect(digests.get("a")).toMatch(/^[0-9a-f]{64}$/);
    expect(digests.get("a")).toBe(digests.get("b"));
    expect(new Set(["a", "c", "s", "l"].map((name) => digests.get(name))).size).toBe(4);
  });

  it("the digest is what it says, so that another version that makes another is seen", () => {
    const dir = make({
      Dockerfile: "FROM scratch\n",
      "src/a": "hello\n",
      run: { script: "#!/bin/sh\n" },
      l: { link: "a" },
    });
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    const lines = [
      [sha256("FROM scratch\n"), null],
      ["Dockerfile", "file", sha256("file\0FROM scratch\n")],
      ["l", "link", sha256("link\0a")],
      ["run", "file", sha256("executable\0#!/bin/sh\n")],
      ["src", "directory", sha256("directory")],
      ["src/a", "file", sha256("file\0hello\n")],
    ];
    expect(digestOf(dir)).toBe(sha256(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
  });

  it("a file larger than a chunk", () => {
    const big = Buffer.alloc(3 * 1024 * 1024 + 17, 7);
    const dir = make({ Dockerfile: "", big });
    const before = digestOf(dir);
    big[big.length - 1] = 8;
    fs.writeFileSync(path.join(dir, "big"), big);
    expect(digestOf(dir)).not.toBe(before);
  });

  it("names that are not UTF-8 are told apart, from each other and from how they are written", () => {
    const dir = make({ Dockerfile: "" });
    const names = ["a\xff", "a\xfe", "a\\xff", "\xe9", "\xc3\xa9"].map((name) => Buffer.from(name, "latin1"));
    for (const name of names) fs.writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), name]), "");
    fs.mkdirSync(Buffer.from(`${dir}/d\xff`, "latin1"));
    fs.writeFileSync(Buffer.from(`${dir}/d\xff/x`, "latin1"), "");
    fs.symlinkSync(Buffer.from("\xff", "latin1"), `${dir}/link`);
    expect(paths(dir)).toEqual([
      "Dockerfile",
      "a\\\\xff",
      "a\\xfe",
      "a\\xff",
      "d\\xff",
      "d\\xff/x",
      "link",
      "é",
      "\\xe9",
    ]);
  });

  it("special files are left out with the reason", () => {
    const dir = make({ Dockerfile: "", ".dockerignore": "ignored" });
    for (const name of ["pipe", "ignored"]) {
      expect(spawnSync("mkfifo", [path.join(dir, name)]).status).toBe(0);
    }
    const manifest = read(dir);
    expect(manifest.entries.map((entry) => entry.path)).toEqual([".dockerignore", "Dockerfile"]);
    expect(manifest.leftOut).toEqual([
      { path: "pipe", reason: "a named pipe has no content that an image could have" },
    ]);
  });

  it("links are not followed", () => {
    const dir = make({ Dockerfile: "", "d/x": "", up: { link: "../.." }, self: { link: "self" } });
    expect(paths(dir)).toEqual(["Dockerfile", "d", "d/x", "self", "up"]);
  });

  it("a link to a folder outside is an entry, and what lies there is neither read nor changed", () => {
    const outside = make({ "folder/file": "x" }, path.join(root, "outside"));
    const dir = make({ Dockerfile: "", out: { link: "../outside/folder" } });
    const [mode, time] = [0o640, 1_000_000];
    fs.chmodSync(path.join(outside, "folder/file"), mode);
    fs.utimesSync(path.join(outside, "folder/file"), time, time);
    expect(below(dir).map((one) => path.relative(dir, one.path))).toEqual(["Dockerfile", "out"]);
    for (const one of below(dir)) touch(one, 5, 0o022);
    expect(paths(dir)).toEqual(["Dockerfile", "out"]);
    const stat = fs.statSync(path.join(outside, "folder/file"));
    expect([stat.mode & 0o777, stat.mtimeMs / 1000]).toEqual([mode, time]);
    expect(fs.statSync(path.join(dir, "Dockerfile")).mtimeMs).toBe(5000);
  });

  it("the context may be a link itself, and end in a slash", () => {
    const dir = make({ Dockerfile: "", x: "" });
    fs.symlinkSync(dir, path.join(root, "link"));
    expect(paths(path.join(root, "link"))).toEqual(["Dockerfile", "x"]);
    expect(paths(`${dir}/`)).toEqual(["Dockerfile", "x"]);
  });
});

describe("the ignore file", () => {
  it("is .dockerignore of the context", () => {
    const dir = make({ Dockerfile: "", ".dockerignore": "x\nd", x: "", y: "", "d/e": "" });
    expect(paths(dir)).toEqual([".dockerignore", "Dockerfile", "y"]);
    expect(read(dir).ignoreFile?.path).toBe(".dockerignore");
  });

  it("is the Dockerfile's own first", () => {
    const dir = make({
      "docker/prod": "",
      "docker/prod.dockerignore": "y\ndocker",
      ".dockerignore": "x",
      x: "",
      y: "",
    });
    expect(paths(dir, path.join(dir, "docker/prod"))).toEqual([".dockerignore", "x"]);
    expect(readContext(dir, path.join(dir, "docker/prod")).ignoreFile?.path).toBe("docker/prod.dockerignore");
  });

  it("an empty one of the Dockerfile hides the context's", () => {
    const dir = make({ Dockerfile: "", "Dockerfile.dockerignore": "", ".dockerignore": "x", x: "" });
    expect(paths(dir)).toContain("x");
  });

  it("stands beside a Dockerfile outside of the context too", () => {
    const dir = make({ x: "", y: "" });
    const other = make({ Dockerfile: "", "Dockerfile.dockerignore": "x" }, path.join(root, "other"));
    const manifest = readContext(dir, path.join(other, "Dockerfile"));
    expect(manifest.entries.map((entry) => entry.path)).toEqual(["y"]);
    expect(manifest.dockerfile.path).toBe("../other/Dockerfile");
    expect(manifest.ignoreFile?.path).toBe("../other/Dockerfile.dockerignore");
  });

  it("ignored, it and the Dockerfile count all the same", () => {
    const dir = make({ Dockerfile: "FROM scratch", ".dockerignore": "*\n!x", x: "" });
    expect(paths(dir)).toEqual(["x"]);
    const before = digestOf(dir);
    fs.writeFileSync(path.join(dir, "Dockerfile"), "FROM scratch\n");
    const after = digestOf(dir);
    fs.writeFileSync(path.join(dir, ".dockerignore"), "*\n!x\n");
    expect(new Set([before, after, digestOf(dir)]).size).toBe(3);
  });

  it("where builders differ, all is taken that any of them sends", () => {
    const dir = make({
      Dockerfile: "",
      ".dockerignore": "*\n!**/keep\n!a/b/keep",
      "d/keep": "",
      "a/b/keep": "",
      "e/none": "",
    });
    const dockerfile = path.join(dir, "Dockerfile");
    const list = (...builders: Parameters<typeof readContext>[3] & object): string[] =>
      readContext(dir, dockerfile, undefined, builders).entries.map((entry) => entry.path);
    expect(list("20.10")).toEqual(["a", "a/b", "a/b/keep"]);
    expect(list("current")).toEqual(["a", "a/b", "a/b/keep", "d", "d/keep"]);
    expect(paths(dir)).toEqual(["a", "a/b", "a/b/keep", "d", "d/keep"]);
  });

  it("a file that one builder refuses is read as the other does", () => {
    const dir = make({ Dockerfile: "", ".dockerignore": "(x", "(x": "", y: "" });
    expect(paths(dir)).toEqual([".dockerignore", "Dockerfile", "y"]);
    expect(() => readContext(dir, path.join(dir, "Dockerfile"), undefined, ["20.10"])).toThrow(
      'line 1: "(x": malformed',
    );
  });

  it("may be a link inside of the context", () => {
    const dir = make({
      Dockerfile: "",
      "config/ignore": "x",
      ".dockerignore": { link: "config/ignore" },
      x: "",
    });
    expect(paths(dir)).toEqual([".dockerignore", "Dockerfile", "config", "config/ignore"]);
  });
});

describe("errors name the path and the cure", () => {
  const cases: [what: string, tree: Tree, where: string, message: string][] = [
    [
      "a malformed pattern",
      { Dockerfile: "", ".dockerignore": "a\nb[\n" },
      ".dockerignore",
      'line 2: "b[": malformed: a [ has no closing ]; correct this line, Docker cannot read it',
    ],
    [
      "an ignore file that is a directory",
      { Dockerfile: "", ".dockerignore": null },
      ".dockerignore",
      "is a directory, not a file; make it a readable file, or remove it",
    ],
    [
      "an ignore file that is a link out of the context",
      { Dockerfile: "", ".dockerignore": { link: "../.gitignore" }, "../.gitignore": "x" },
      ".dockerignore",
      "is a link to a file outside, which the builder does not see; put the rules into a file here",
    ],
    [
      "no Dockerfile",
      { x: "" },
      "Dockerfile",
      "does not exist; create it, or correct the path of the Dockerfile",
    ],
    [
      "a Dockerfile that is a directory",
      { Dockerfile: null },
      "Dockerfile",
      "is a directory, not a file; create it, or correct the path of the Dockerfile",
    ],
  ];
  it.each(cases)("%s", (_what, tree, where, message) => {
    const dir = make(tree);
    expect(() => read(dir)).toThrow(new ContextError(path.join(dir, where), ...halves(message)));
  });

  const halves = (message: string): [string, string] => {
    const [problem = "", cure = ""] = message.split("; ");
    return [problem, cure];
  };

  it("no directory, or none", () => {
    const dir = make({ Dockerfile: "", file: "" });
    expect(() => readContext(`${dir}/none`, `${dir}/Dockerfile`)).toThrow(
      `${dir}/none: does not exist; create it, or correct the path of the source`,
    );
    expect(() => readContext(`${dir}/file`, `${dir}/Dockerfile`)).toThrow(
      `${dir}/file: is not a directory; name the directory that holds the source`,
    );
  });

  it("a file or directory that cannot be read, unless it is ignored", () => {
    const dir = make({ Dockerfile: "", ".dockerignore": "", secret: "", "private/x": "" });
    const ignore = path.join(dir, ".dockerignore");
    fs.chmodSync(path.join(dir, "secret"), 0);
    fs.chmodSync(path.join(dir, "private"), 0);
    try {
      asUnprivileged(() => {
        expect(() => read(dir)).toThrow(
          `${dir}/private: cannot be read: permission denied; make it readable, or list it in .dockerignore`,
        );
      });
      fs.writeFileSync(ignore, "private");
      asUnprivileged(() => {
        expect(() => read(dir)).toThrow(
          `${dir}/secret: cannot be read: permission denied; make it readable, or list it in .dockerignore`,
        );
      });
      // An ignored directory is not even opened, with exceptions only when one can be in it.
      fs.writeFileSync(ignore, "private\nsecret\n!elsewhere/x");
      asUnprivileged(() => {
        expect(paths(dir)).toEqual([".dockerignore", "Dockerfile"]);
      });
    } finally {
      fs.chmodSync(path.join(dir, "private"), 0o755);
    }
  });

  /** Permissions do not hold root back. */
  function asUnprivileged(action: () => void): void {
    if (process.geteuid?.() !== 0) {
      action();
      return;
    }
    process.seteuid?.(65_534);
    try {
      action();
    } finally {
      process.seteuid?.(0);
    }
  }
});

describe("the digest", () => {
  // Trees as lists of leaves; a name at the top of another is made a directory by leaving it out.
  const segment = fc.constantFrom("a", "b", "c.txt", ".d", "e f", "é");
  const leaf = fc.record({
    name: fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    kind: fc.constantFrom("file", "script", "link", "empty"),
    content: fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom("x", "y", "/", "z") }),
  });
  type Leaf = typeof leaf extends fc.Arbitrary<infer T> ? T : never;
  const leaves = fc
    .uniqueArray(leaf, { minLength: 1, maxLength: 7, selector: ({ name }) => name })
    .map((all) => all.filter(({ name }) => !all.some((other) => other.name.startsWith(`${name}/`))));

  let count = 0;
  function plant(tree: readonly Leaf[]): string {
    const contents = tree.map(({ name, kind, content }): [string, Tree[string]] => {
      if (kind === "file") return [name, content];
      if (kind === "script") return [name, { script: content }];
      // Wherever the link lies, it leads nowhere but below itself: no generated one may leave the tree.
      return [name, kind === "link" ? { link: `to/${content}` } : null];
    });
    const build: Tree = { Dockerfile: "FROM scratch", ".dockerignore": "ignored\n**/*.log\n" };
    return make({ ...Object.fromEntries(contents), ...build }, path.join(root, `tree-${count++}`));
  }

  const withOne = fc.tuple(leaves, fc.nat()).map(([tree, index]) => ({ tree, at: index % tree.length }));
  const digestOfTree = (tree: readonly Leaf[]): string => digestOf(plant(tree));

  it("is the same wherever the context lies, in whatever order it was made", () => {
    fc.assert(
      fc.property(leaves, (tree) => {
        expect(digestOfTree(tree)).toBe(digestOfTree(tree.toReversed()));
      }),
    );
  });

  it("does not depend on the order of the manifest's entries", () => {
    fc.assert(
      fc.property(leaves, (tree) => {
        const manifest = read(plant(tree));
        expect(contextDigest({ ...manifest, entries: manifest.entries.toReversed() })).toBe(
          contextDigest(manifest),
        );
      }),
    );
  });

  it.each<[what: string, change: (one: Leaf) => Leaf[]]>([
    ["content or target", (one) => [{ ...one, content: `${one.content}!` }]],
    ["name", (one) => [{ ...one, name: `${one.name}2` }]],
    ["place", (one) => [{ ...one, name: `deeper/${one.name}` }]],
    ["kind", (one) => [{ ...one, kind: one.kind === "link" ? "file" : "link" }]],
    ["executable bit", (one) => [{ ...one, kind: one.kind === "script" ? "file" : "script" }]],
    ["removal", () => []],
    ["addition", (one) => [one, { ...one, name: `${one.name}-more` }]],
    ["an empty directory more", (one) => [one, { ...one, name: "hollow", kind: "empty" }]],
  ])("changes with any change: %s", (what, change) => {
    fc.assert(
      fc.property(withOne, ({ tree, at }) => {
        const changed = tree.flatMap((one, index) => (index === at ? change(one) : [one]));
        // What an empty directory would contain does not exist.
        fc.pre(what !== "content or target" || tree[at]?.kind !== "empty");
        expect(digestOfTree(changed)).not.toBe(digestOfTree(tree));
      }),
    );
  });

  it("does not change with times, other mode bits, and what is ignored", () => {
    fc.assert(
      fc.property(
        leaves,
        fc.constantFrom(0o077, 0o022, 0o002, 0o033),
        fc.nat(2 ** 31),
        (tree, bits, time) => {
          const dir = plant(tree);
          const before = digestOf(dir);
          for (const one of below(dir)) touch(one, time, bits);
          make({ "ignored/x": "x", "any/x.log": "x" }, dir);
          fs.rmSync(path.join(dir, "any"), { recursive: true });
          fs.writeFileSync(path.join(dir, "y.log"), "x");
          expect(digestOf(dir)).toBe(before);
        },
      ),
    );
  });
});
