import { afterEach, describe, expect, it } from "vitest";
import { Box } from "./support/program";

let box: Box | undefined;
afterEach(() => {
  box?.remove();
});

describe("what ops prints", () => {
  it("has no colours where stdout is no terminal, in CI neither", async () => {
    box = new Box(undefined);
    const { stdout } = await box.start(["status"], false, { CI: "true", FORCE_COLOR: "1" }).end;
    expect(stdout).toContain("artsvao/test on ssh://deploy@shop.example.org: release 2 ");
    expect(stdout).not.toContain("\u001b");
  });

  it.each(["--help", "status"])(
    "may be cut by its reader: %s ends with its own code, in silence",
    async (word) => {
      box = new Box(undefined);
      const whole = await box.run(word);
      expect(whole.stdout).not.toBe("");
      const run = box.start([word]);
      run.child.stdout.destroy();
      expect(await run.end).toEqual({ code: whole.code, stdout: "", stderr: "" });
    },
  );
});
