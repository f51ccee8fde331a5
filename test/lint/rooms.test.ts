import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";

const CHECKOUT = join(__dirname, "../..");

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rooms-"));
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json", "tsconfig.check.json"])
    cpSync(join(CHECKOUT, file), join(root, file));
  symlinkSync(join(CHECKOUT, "node_modules"), join(root, "node_modules"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** What `npm run lint:rooms` says of a project with these files: rule and file, sorted. */
function refused(files: Readonly<Record<string, string>>): string[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const folders = [...new Set(Object.keys(files).map((name) => name.split("/")[0] ?? ""))];
  const program = join(CHECKOUT, "node_modules/.bin/depcruise");
  const args = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", ...folders];
  const { stdout } = spawnSync(program, args, { cwd: root, encoding: "utf8", timeout: 60_000 });
  const { violations } = report.parse(JSON.parse(stdout)).summary;
  return violations.map(({ from, rule }) => `${rule.name}: ${from}`).sort();
}

const type = (path: string) =>
  `import type { A } from "${path}";\nexport const b: A | undefined = undefined;\n`;
const A = "export type A = string;\n";

describe("imports", () => {
  it("go down through the rooms, and from the folders to plan/", () => {
    const found = refused({
      "plan/words/explain.ts": type("../checks/finding"),
      "plan/checks/finding.ts": `${type("../found/facts")}${A.replace("type A", "type C")}`,
      "plan/found/facts.ts": A,
      "components/host.ts": type("../plan/found/facts"),
      "ops/main.ts": type("../host/bundle"),
      "host/bundle.ts": A,
      "index.ts": type("./components/host"),
    });
    expect(found).toEqual([]);
  });

  it("do not go up, not even for a type", () => {
    const found = refused({
      "plan/config/read.ts": type("../found/facts"),
      "plan/found/facts.ts": `${A}import type { A as B } from "../release/plan";\nexport const b: B = "";\n`,
      "plan/release/plan.ts": A,
      "plan/words/explain.ts": type("../../components/host"),
      "components/host.ts": A,
    });
    expect(found).toEqual([
      "plan-config-looks-down: plan/config/read.ts",
      "plan-found-looks-down: plan/found/facts.ts",
      "plan-looks-down: plan/words/explain.ts",
    ]);
  });

  it("do not go round in a circle, in plan/ or elsewhere", () => {
    const found = refused({
      "plan/found/facts.ts": `${A}${type("./ledger").replace("A }", "A as L }").replace("b: A", "b: L")}`,
      "plan/found/ledger.ts": `${A}${type("./facts").replace("A }", "A as F }").replace("b: A", "b: F")}`,
      "components/host.ts": `${type("./builds")}export type C = string;\n`,
      "components/builds.ts": `${A}import type { C } from "./host";\nexport const c: C = "";\n`,
    });
    expect([...new Set(found.map((one) => one.replace(/(\w+)\.ts$/, "")))]).toEqual([
      "no-circle: components/",
      "no-circle: plan/found/",
    ]);
  });

  it("lead into a room, and never to what stands in for the internet", () => {
    const found = refused({
      "plan/facts.ts": A,
      "ops/main.ts": type("../plan/facts"),
      "host/bundle.ts": type("../sandbox/engine"),
      "sandbox/engine.ts": A,
    });
    expect(found).toEqual([
      "host-looks-down: host/bundle.ts",
      "plan-has-rooms: ops/main.ts",
      "product-knows-no-sandbox: host/bundle.ts",
    ]);
  });
});
