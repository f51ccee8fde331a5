import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeEnvImport, planEnvImport } from "../../ops/envFile";
import { OpsError } from "../../ops/errors";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const NONE = new Set<string>();
const EMPTY = { env: {}, secrets: {} };

describe("an import of .env.production", () => {
  it("reads names and values, all of them secret", () => {
    const text = [
      "# the CRM",
      'export JWT_SECRET="it\'s $HOME" # of 2026',
      'GREETING="Привет\\nмир"',
      "EMPTY=",
      "URL=https://example.org/?a=b#part # comment",
      "COLOR=#fff",
      " LEVEL = info\t",
      "NONE= # nothing yet",
      'JSON={"a": "it\'s"}\t#comment',
      '  # OLD="not closed',
      "MANY='one",
      "# two",
      "",
      "OLD=three' # \"",
      "TWICE=1",
      "TWICE=2",
    ].join("\n");
    const { writes } = planEnvImport(text, EMPTY, NONE);
    expect(writes).toEqual([
      { name: "COLOR", value: "#fff", secret: true },
      { name: "EMPTY", value: "", secret: true },
      { name: "GREETING", value: "Привет\nмир", secret: true },
      { name: "JSON", value: '{"a": "it\'s"}', secret: true },
      { name: "JWT_SECRET", value: "it's $HOME", secret: true },
      { name: "LEVEL", value: "info", secret: true },
      { name: "MANY", value: "one\n# two\n\nOLD=three", secret: true },
      { name: "NONE", value: "", secret: true },
      { name: "TWICE", value: "2", secret: true },
      { name: "URL", value: "https://example.org/?a=b#part", secret: true },
    ]);
    for (const ends of ["\r\n", "\r"])
      expect(planEnvImport(`\uFEFF${text.replaceAll("\n", ends)}`, EMPTY, NONE).writes).toEqual(writes);
  });

  it("cuts no value: a comment begins with a # after white space", () => {
    const value = fc
      .string({ unit: fc.constantFrom(..."aя0#=$&!\\'\"`:;{} \t".split("")) })
      .map((one) => one.trim())
      .filter((one) => !/^['"`]|\s#/.test(one));
    fc.assert(
      fc.property(value, fc.constantFrom("", " ", " # comment", "\t#"), (one, after) => {
        const { writes } = planEnvImport(`A=${one}${after}\nB=1\n`, EMPTY, NONE);
        expect(writes.map((write) => write.value)).toEqual([one, "1"]);
      }),
    );
  });

  it("keeps what is in quotes, over lines too", () => {
    const value = fc.string({ unit: fc.constantFrom(...'aя0#=$"`:{} \t\n'.split("")) });
    fc.assert(
      fc.property(value, fc.constantFrom("", " ", " # it's", "\t#"), (one, after) => {
        const { writes } = planEnvImport(`A='${one}'${after}\nB=1\n`, EMPTY, NONE);
        expect(writes.map((write) => write.value)).toEqual([one, "1"]);
      }),
    );
  });

  it.each([
    ['A="s3cret', "begins with a quote"],
    ["A='s3cret\nB=s3cret", "begins with a quote"],
    ["A=`s3cret # a`b", "begins with a quote"],
    ["A='s3''cret'", "begins with a quote"],
    ['A="s3"cret', "begins with a quote"],
    ['A="s3cret"# more', "begins with a quote"],
    ["s3cret", "neither NAME=value nor a comment"],
    ["export A", "neither NAME=value nor a comment"],
    ["A: s3cret", "neither NAME=value nor a comment"],
    ["A.B=s3cret", "the name must be"],
    ['s3cret-B="x\ny"', "the name must be"],
    ["1A=s3cret", "the name must be"],
    ["=s3cret", "the name must be"],
    ["s3 cret=x", "the name must be"],
  ])("refuses what could be taken otherwise than it is meant, without showing it: %j", (text, words) => {
    const refused = () => planEnvImport(`# the CRM\nTWO='1\n2'\n${text}\nLAST=1\n`, EMPTY, NONE);
    expect(refused).toThrow(OpsError);
    expect(refused).toThrow(`The file cannot be taken as it is; nothing was changed.\n  line 4: `);
    expect(refused).toThrow(words);
    expect(refused).not.toThrow(/s3|cret/);
  });

  it("tells all lines that are wrong at once", () => {
    const refused = () => planEnvImport('A=1\nB="x\nno equals sign\n\nA.B=x\n', EMPTY, NONE);
    expect(refused).toThrow(
      /\n {2}line 2: the value .*\n {2}line 3: is neither .*\n {2}line 5: the name .*$/,
    );
  });

  it("refuses names of options that the file does not have", () => {
    const text = "LOG_LEVEL=info\nPORT=80";
    expect(() => planEnvImport(text, EMPTY, new Set(["LOG_LEVEL", "LOG_LEVL"]))).toThrow(
      '--plain: the file has no "LOG_LEVL": did you mean LOG_LEVEL?',
    );
    expect(() => planEnvImport(text, EMPTY, NONE, new Set(["PGHOST"]))).toThrow(
      '--keep: the file has no "PGHOST"; known are LOG_LEVEL, PORT',
    );
  });

  it("tells what is added, changed, unchanged, missing, and writes only what differs", () => {
    const existing = { env: { MODE: "a", LEVEL: "info" }, secrets: { KEEP: "1", TURN: "2", GONE: "3" } };
    const plan = planEnvImport("KEEP=1\nTURN=4\nMODE=a\nNEW=5\nLEVEL=info\n", existing, new Set(["LEVEL"]));
    expect(plan).toMatchObject({
      added: ["NEW"],
      // MODE has the same value, but was plain and is a secret from now on.
      changed: ["MODE", "TURN"],
      unchanged: ["KEEP", "LEVEL"],
      missing: ["GONE"],
    });
    expect(plan.writes.map(({ name, secret }) => [name, secret])).toEqual([
      ["MODE", true],
      ["NEW", true],
      ["TURN", true],
    ]);
    expect(planEnvImport("LEVEL=info", existing, new Set(["LEVEL"])).writes).toEqual([]);
  });

  it("leaves out what the stack gives itself, and what still is a placeholder", () => {
    const text = "PORT=3000\nDATABASE_URL=postgres://old\nTOKEN=<your token>\nOTHER=changeme\nREAL=x";
    const plan = planEnvImport(text, EMPTY, NONE);
    expect(plan.provided).toEqual(["DATABASE_URL", "PORT"]);
    expect(plan.placeholders).toEqual(["OTHER", "TOKEN"]);
    expect(plan.added).toEqual(["REAL"]);
    expect(planEnvImport(text, EMPTY, NONE, new Set(["PORT"])).added).toEqual(["PORT", "REAL"]);
  });

  it("names no value, whatever it is", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.boolean(), (fresh, old, removes) => {
        const existing = { env: {}, secrets: { CHANGED: old, GONE: old } };
        const plan = planEnvImport(`CHANGED=${fresh}\nADDED=${fresh}`, existing, NONE);
        const text = describeEnvImport("backend", plan, removes);
        expect(text).not.toContain(fresh);
        expect(text).not.toContain(old);
        expect(text).toMatch(/^services\.backend:\n {2}added: ADDED\n {2}changed: CHANGED\n/);
        expect(text).toContain(
          removes ? "removed: GONE" : "only in the config (--remove takes them out): GONE",
        );
      }),
    );
  });
});
