import { describe, expect, it } from "vitest";
import { stackFile } from "../plan/support/config";
import { EMPTY_HOST } from "../plan/support/stack";
import { run } from "./support/program";

describe("x", () => {
  it("y", async () => {
    const ran = await run({ config: stackFile("Pulumi.local.yaml"), facts: EMPTY_HOST });
    console.log(ran.outputs, ran.messages, ran.asked, ran.waited);
    console.log(ran.resources.map((r) => ({ ...r, inputs: JSON.stringify(r.inputs).slice(0, 1500) })));
  });
});
