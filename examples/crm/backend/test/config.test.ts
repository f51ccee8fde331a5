import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/config";
import { parseFault } from "../src/fault";

const DATABASE_URL = "postgres://crm:secret@database/crm";

test("what is not set has a default", () => {
  assert.deepEqual(readConfig({ DATABASE_URL }), { DATABASE_URL, PORT: 3000, CRM_FAULT: { name: "none" } });
});

test("every mistake is told at once, without the password", () => {
  assert.throws(
    () => readConfig({ DATABASE_URL: "mysql://crm:secret@database/crm", PORT: "0", CRM_FAULT: "nap" }),
    ({ message }: Error) =>
      /DATABASE_URL: .*PORT: must be 1-65535.*CRM_FAULT: must be one of unhealthy/.test(message) &&
      !message.includes("secret"),
  );
});

test("a fault has a known name, and seconds where it needs them", () => {
  assert.deepEqual(parseFault(""), { name: "none" });
  assert.deepEqual(parseFault("hang"), { name: "hang" });
  assert.deepEqual(parseFault("slow=2.5"), { name: "slow", seconds: 2.5 });
  for (const wrong of ["slow", "slow=", "slow=-1", "slow=1e9", "slow=4000", "crash=1", "Hang"]) {
    assert.throws(() => parseFault(wrong), /must be one of/, wrong);
  }
});
