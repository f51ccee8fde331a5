import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionTo } from "../../host/connection";
import { runOnHost } from "../../ops/remote";
import { quoted } from "../../ops/shell";

fc.configureGlobal({ seed: 2010 });

describe("a command for the host", () => {
  it("keeps its words, whatever is in them", () => {
    const word = fc.string({ unit: "binary", maxLength: 20 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const line = ["printf", "%s\\0", ...words].map(quoted).join(" ");
        const printed = execFileSync("sh", ["-c", line], { encoding: "utf8" });
        const expected = words.length === 0 ? "\0" : words.map((one) => `${one}\0`).join("");
        expect(printed).toBe(Buffer.from(expected).toString("utf8"));
      }),
      { numRuns: 12 },
    );
  });

  it("gives its exit code, or that of the signal that ended it", async () => {
    const here = connectionTo({ address: "local", lockWait: 0 });
    expect(await runOnHost(here, ["sh", "-c", "exit 7"], false)).toBe(7);
    expect(await runOnHost(here, ["sh", "-c", "kill -TERM $$"], false)).toBe(143);
  });
});
