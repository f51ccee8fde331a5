import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IgnoreError, type Trail, contextFilter, parseIgnore } from "../../../../plan/wanted/context/ignore";
import type { Builder } from "../../../../plan/wanted/context/pattern";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

/** Walks a tree, given by the paths of its files, as a builder does, and lists what is sent. */
function sent(ignore: string, files: readonly string[], builder: Builder): string[] {
  const filter = contextFilter(parseIgnore(Buffer.from(ignore), ".dockerignore"), builder, ".dockerignore");
  const walk = (directory: string, trail: Trail): string[] => {
    const below = files
      .filter((file) => file.startsWith(directory))
      .map((file) => file.slice(directory.length));
    return [...new Set(below.map((rest) => rest.replace(/\/.*/s, "")))].sort().flatMap((name) => {
      const path = directory + name;
      const isDirectory = !files.includes(path);
      const verdict = filter(path, isDirectory, trail);
      const inner = isDirectory && verdict.entered ? walk(`${path}/`, verdict.trail) : [];
      return verdict.sent || inner.length > 0 ? [path, ...inner] : [];
    });
  };
  return walk("", []);
}

const filesSent = (ignore: string, files: readonly string[], builder: Builder): string[] =>
  sent(ignore, files, builder).filter((path) => files.includes(path));

const builders: readonly Builder[] = ["current", "20.10"];

describe.each(builders)("rules that mean the same to every builder: %s", (builder) => {
  it.each<[rule: string, ignore: string, files: string[], left: string[]]>([
    ["nothing is ignored by nothing", "", ["a", ".env", "d/b"], ["a", ".env", "d/b"]],
    ["a comment", "# a\n#a\n#", ["a", "# a", "#"], ["a", "# a", "#"]],
    ["# after a space is a pattern", " #a", ["a", "#a"], ["a"]],
    ["# escaped by ./", "./#a", ["a", "#a"], ["a"]],
    ["blank lines", "\n  \n\t\na\n\n", ["a", "b"], ["b"]],
    ["a byte order mark before the first line", "\uFEFFa\nb", ["a", "b", "c"], ["c"]],
    ["a byte order mark before a comment", "\uFEFF#a", ["a"], ["a"]],
    ["Windows line ends", "a\r\nb\r\n", ["a", "b", "c"], ["c"]],
    ["white space around", " \t a \u00A0\u0085\n", ["a", "b"], ["b"]],
    ["white space inside", "a b", ["a b", "a", "b"], ["a", "b"]],
    ["no newline at the end", "a\nb", ["a", "b", "c"], ["c"]],
    ["a leading slash", "/a", ["a", "d/a"], ["d/a"]],
    ["a trailing slash, which asks for no directory", "a/", ["a", "d/a"], ["d/a"]],
    ["./ and ..", "./a\nd/../b\n../c", ["a", "b", "c"], ["c"]],
    ["doubled slashes", "d//a", ["d/a", "d/b"], ["d/b"]],
    ["the context itself cannot be ignored", ".\n/\n./", ["a"], ["a"]],
    ["a pattern is anchored", "a", ["a", "d/a", "ab"], ["d/a", "ab"]],
    ["everything below", "d", ["d/a", "d/e/f/g", "da"], ["da"]],
    ["upper and lower case", "A", ["a", "A"], ["a"]],
    ["* within a name", "a*", ["a", "ab", "abc/x", "d/a"], ["d/a"]],
    ["* does not cross /", "d/*/x", ["d/x", "d/e/x", "d/e/f/x"], ["d/x", "d/e/f/x"]],
    ["* takes a leading dot", "*", [".env", "a", "d/a"], []],
    ["? is one character", "a?", ["a", "ab", "aé", "a\u{1F600}", "abc"], ["a", "abc"]],
    ["? is not /", "d?a", ["d/a", "dxa"], ["d/a"]],
    ["** is any depth, none too", "**/x", ["x", "d/x", "d/e/x", "d/ax"], ["d/ax"]],
    ["** at the end", "d/**", ["d/a", "d/e/f", "da"], ["da"]],
    ["** in the middle", "a/**/z", ["a/z", "a/b/z", "a/b/c/z", "az"], ["az"]],
    ["** alone", "**", ["a", "d/e/f"], []],
    ["** with an extension", "**/*.md", ["a.md", "d/b.md", "d/e/c.md", "amd", "d/md"], ["amd", "d/md"]],
    ["**/ is **", "**/", ["a", "d/b"], []],
    ["a class", "[ab]", ["a", "b", "c", "ab"], ["c", "ab"]],
    ["a range", "x[a-c]", ["xa", "xc", "xd"], ["xd"]],
    ["a negated class", "x[^a-c]", ["xa", "xd", "x^"], ["xa"]],
    ["! does not negate a class", "x[!a]", ["xa", "x!", "xb"], ["xb"]],
    ["] in a class", "x[\\]]", ["x]", "xa"], ["xa"]],
    ["an escaped star", "\\*", ["*", "a"], ["a"]],
    ["an escaped bracket", "\\[a\\]", ["[a]", "a"], ["a"]],
    ["an escaped !", "\\!a", ["!a", "a"], ["a"]],
    ["an escaped #", "\\#a", ["#a", "a"], ["a"]],
    ["an escaped space", "\\ a", [" a", "a"], ["a"]],
    ["dots and dollars are themselves", "a.b\n$x", ["a.b", "axb", "$x"], ["axb"]],
    ["not ASCII", "é/日本*", ["é/日本語", "é/x"], ["é/x"]],
    ["an exception", "*.md\n!a.md", ["a.md", "b.md"], ["a.md"]],
    ["the last match wins", "*.md\n!a.md\na.*", ["a.md", "b.md"], []],
    ["an exception before the rule is none", "!a.md\n*.md", ["a.md"], []],
    ["an exception with space and slash", "*.md\n ! /a.md ", ["a.md", "b.md"], ["a.md"]],
    ["a file of an ignored directory", "d\n!d/a", ["d/a", "d/b", "d/e/a"], ["d/a"]],
    ["a directory of an ignored directory", "d\n!d/e", ["d/a", "d/e/b", "d/e/f/c"], ["d/e/b", "d/e/f/c"]],
    [
      "everything but",
      "*\n!src\n!package.json",
      ["src/a/b", "package.json", "x", "y/z"],
      ["src/a/b", "package.json"],
    ],
    ["everything but, with **", "**\n!src", ["src/a/b", "x"], ["src/a/b"]],
    ["! in an exception", "*\n!!a", ["!a", "a"], ["!a"]],
    ["cleaning can make an exception", "a\n/!a", ["a"], ["a"]],
    ["the ignore file and the Dockerfile are no exception", "*", [".dockerignore", "Dockerfile"], []],
  ])("%s", (_rule, ignore, files, left) => {
    expect(filesSent(ignore, files, builder)).toEqual([...left].sort());
  });

  it.each<[ignore: string, line: number, pattern: string, reason: string]>([
    ["a\n[b", 2, "[b", "malformed: a [ has no closing ]"],
    ["[]a]", 1, "[]a]", "malformed: a class [...] cannot have ] there; write \\]"],
    ["# c\n\n[a-]", 3, "[a-]", "malformed: a class [...] cannot have ] there; write \\]"],
    ["[-a]", 1, "[-a]", "malformed: a class [...] cannot have - there; write \\-"],
    ["a\\", 1, "a\\", "malformed: it ends in a backslash"],
    ["!x[", 1, "!x[", "malformed: a [ has no closing ]"],
    [".*[-b]", 1, ".*[-b]", "malformed: a class [...] cannot have - there; write \\-"],
    ["a\n!", 2, "!", "an exception without a pattern; name what is not to be ignored"],
    ["! /", 1, "! /", "an exception without a pattern; name what is not to be ignored"],
  ])("refuses %j", (ignore, line, pattern, reason) => {
    const read = (): unknown => sent(ignore, ["a"], builder);
    expect(read).toThrow(IgnoreError);
    expect(read).toThrow(`.dockerignore:${line}: ${pattern}: ${reason}`);
  });

  it("refuses what only the expression cannot be", () => {
    expect(() => sent("a*[b", ["x"], builder)).toThrow(
      /^\.dockerignore:1: a\*\[b: malformed: .*missing closing \]/,
    );
    expect(() => sent("\\é", ["x"], builder)).toThrow(/^\.dockerignore:1: \\é: malformed: .*invalid escape/);
  });
});

describe("where builders differ", () => {
  it.each<[what: string, ignore: string, files: string[], current: string[], old: string[]]>([
    [
      "an exception with a wildcard in an ignored directory",
      "*\n!**/keep",
      ["d/keep", "keep"],
      ["d", "d/keep", "keep"],
      ["keep"],
    ],
    ["an ignored directory that an exception names in vain", "d\n!d/none", ["d/a"], [], ["d"]],
    [
      "a rule with ** and an exception below what it matches",
      "**/dist\n!p/q/dist/keep",
      ["p/q/dist/keep", "p/q/dist/x"],
      ["p", "p/q", "p/q/dist", "p/q/dist/keep"],
      ["p", "p/q", "p/q/dist", "p/q/dist/keep", "p/q/dist/x"],
    ],
    [
      "a directory as exception from files",
      "**/*.md\n!docs",
      ["docs/a.md", "docs/b"],
      ["docs", "docs/b"],
      ["docs", "docs/a.md", "docs/b"],
    ],
    ["** before a name without /", "**x", ["x", "ax"], [], ["ax"]],
    ["a plus", "a+", ["a+", "aa"], ["aa"], ["a+"]],
  ])("%s", (_what, ignore, files, current, old) => {
    expect(sent(ignore, files, "current")).toEqual(current);
    expect(sent(ignore, files, "20.10")).toEqual(old);
  });

  it("a pattern that is a broken expression only to 20.10", () => {
    expect(sent("(a", ["(a", "b"], "current")).toEqual(["b"]);
    expect(() => sent("(a", ["(a", "b"], "20.10")).toThrow(".dockerignore:1: (a: malformed");
  });
});

describe("the ignore file", () => {
  it("keeps the lines' numbers through comments, blank lines and exceptions", () => {
    expect(parseIgnore(Buffer.from("# c\n\n a/ \n! b//c\r\n#\n./d"), "f")).toEqual([
      { line: 3, pattern: "a", exception: false },
      { line: 4, pattern: "b/c", exception: true },
      { line: 6, pattern: "d", exception: false },
    ]);
  });

  it("takes a line of 65535 bytes and refuses a longer one", () => {
    expect(parseIgnore(Buffer.from(`${"a".repeat(65_535)}\nb`), "f")).toHaveLength(2);
    expect(() => parseIgnore(Buffer.from(`b\n${"a".repeat(65_536)}`), "f")).toThrow(
      "f:2: : the line is longer",
    );
  });

  it("refuses what is not UTF-8", () => {
    expect(() => parseIgnore(Buffer.from([0x61, 0x0a, 0xff]), "f")).toThrow("f:2: ÿ: not UTF-8");
  });
});

describe("properties", () => {
  const name = fc.constantFrom("a", "b", "ab", ".env", "x.md", "sp ace", "é", "src", "node_modules");
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  // A path is a file or a directory, not both.
  const files = fc
    .uniqueArray(path, { maxLength: 12 })
    .map((paths) => paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`))));
  const part = fc.oneof(name, fc.constantFrom("*", "**", "?", "a*", "*.md", "[a-b]", "[^a]"));
  const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const exception = pattern.map((text) => `!${text}`);
  const rules = fc.array(fc.oneof(pattern, exception), { maxLength: 5 });
  const builder = fc.constantFrom(...builders);

  it("without exceptions every builder sends the same", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 5 }), files, (patterns, tree) => {
        expect(sent(patterns.join("\n"), tree, "current")).toEqual(sent(patterns.join("\n"), tree, "20.10"));
      }),
    );
  });

  it("a plain path ignores itself and what is below, and nothing else", () => {
    fc.assert(
      fc.property(path, files, builder, (ignored, tree, by) => {
        const left = tree.filter((file) => !`${file}/`.startsWith(`${ignored}/`));
        expect(filesSent(ignored, tree, by)).toEqual(left.sort());
      }),
    );
  });

  it("the way of writing does not matter", () => {
    const dress = fc.record({
      before: fc.constantFrom("", " ", "\t", "# x\n", "\n"),
      lead: fc.constantFrom("", "/", "./", "x/../"),
      tail: fc.constantFrom("", "/", " ", "/ ", "\r"),
      lineEnd: fc.constantFrom("\n", "\r\n", "\n\n"),
    });
    fc.assert(
      fc.property(rules, files, builder, dress, (lines, tree, by, { before, lead, tail, lineEnd }) => {
        const dressed = lines.map((line) => {
          const [, negation = "", text = ""] = /^(!?)(.*)$/s.exec(line) ?? [];
          return `${before}${negation}${lead}${text}${tail}${lineEnd}`;
        });
        expect(sent(dressed.join(""), tree, by)).toEqual(sent(lines.join("\n"), tree, by));
      }),
    );
  });

  it("what is sent has its directories sent, and more rules to ignore never send more files", () => {
    fc.assert(
      fc.property(rules, pattern, files, builder, (lines, more, tree, by) => {
        const before = sent(lines.join("\n"), tree, by);
        for (const one of before.filter((candidate) => candidate.includes("/"))) {
          expect(before).toContain(one.slice(0, one.lastIndexOf("/")));
        }
        const after = filesSent([...lines, more].join("\n"), tree, by);
        expect(before).toEqual(expect.arrayContaining(after));
      }),
    );
  });
});
