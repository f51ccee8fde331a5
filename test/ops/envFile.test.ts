import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeEnvImport, planEnvImport } from "../../ops/envFile";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const NONE = new Set<string>();
const EMPTY = { env: {}, secrets: {} };

describe("an import of .env.production", () => {
  it("reads names and values as dotenv does, all of them secret", () => {
    const text = [
      "# the CRM",
      "export JWT_SECRET='it''s $HOME'",
      'GREETING="Привет\\nмир"',
      "EMPTY=",
      "URL=https://example.org/?a=b#part # comment",
    ].join("\n");
    const { writes } = planEnvImport(text, EMPTY, NONE);
    expect(writes).toEqual([
      { name: "EMPTY", value: "", secret: true },
      { name: "GREETING", value: "Привет\nмир", secret: true },
      expect.objectContaining({ name: "JWT_SECRET", secret: true }),
      { name: "URL", value: "https://example.org/?a=b", secret: true },
    ]);
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
