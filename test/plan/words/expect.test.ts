import { describe, expect, it } from "vitest";
import { parseLedger } from "../../../plan/found/entry";
import { metIn } from "../../../plan/found/met";
import { expected } from "../../../plan/words/expect";
import { read } from "../support/config";
import { SHOP } from "../support/shop";
import { EMPTY_HOST, planned } from "../support/stack";

const { plan } = planned(read(SHOP), EMPTY_HOST);

/** A ledger of deploys that took so many seconds, the newest first. */
function took(seconds: readonly number[], more: readonly string[] = []) {
  const lines = seconds.flatMap((one, i) =>
    ["release r", "after 1", "began 5", "kind deploy", "result done", `seconds ${one}`, ...more].map(
      (text) => `${seconds.length - i} ${text}`,
    ),
  );
  return { ...EMPTY_HOST, ledger: parseLedger(lines) };
}

describe("what a release will cost", () => {
  it("is not made up where nothing was measured", () => {
    expect(expected(plan, EMPTY_HOST)).toBeUndefined();
  });

  it("is the median of the last five of its kind", () => {
    expect(expected(plan, took([7]))).toBe("takes about 7 s on the host, as the last deploy did");
    expect(expected(plan, took([4, 9, 5, 6, 100, 1000, 1000]))).toBe(
      "takes about 6 s on the host, as the last 5 of this kind did (median)",
    );
    expect(expected({ ...plan, kind: "rollback" }, took([7]))).toBeUndefined();
  });

  it("tells what visitors met", () => {
    const host = took([4, 6], ["visitors 10", "failed 0", "held 3 1.50", "probed 40 0 0.32"]);
    expect(expected(plan, host)).toBe(
      "takes about 5 s on the host, 0 failed requests, 0.3 s without an answer at most, as the last 2 of this kind did (median)",
    );
  });
});

describe("the runner's last words", () => {
  it("are read again", () => {
    const words =
      "visitors: 345 requests, 0 failed, 20 waited for at most 1.52 s; longest gap 0.31 s; memory at most 712 of 973 MiB";
    expect(metIn(`something\n${words}\nthis is release 4`)).toEqual({
      visitors: 345,
      failed: 0,
      held: 20,
      heldFor: 1.52,
      gap: 0.31,
      memory: { most: 712, total: 973 },
    });
    expect(metIn("visitors: 0 requests, 0 failed, 0 waited")).toEqual({
      visitors: 0,
      failed: 0,
      held: 0,
      heldFor: 0,
      gap: undefined,
      memory: undefined,
    });
    expect(metIn("this is release 4")).toBeUndefined();
  });
});
