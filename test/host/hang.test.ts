import { afterAll, describe, expect, it } from "vitest";
import { deployed, prepare, release } from "./lib/release";
import { SCENARIOS, stage } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { removeWorlds, World } from "./lib/world";
import { full } from "./lib/stacks";

// An engine that takes a call and never answers: the client is ended, the release taken back, the lock free.

afterAll(removeWorlds);

/** The host's own `timeout`, with a hundredth of the time, half a second at least: minutes are not waited for here. */
const SHORTENED = `#!/bin/sh
[ "$1" = -k ] && shift 2
limit=$(awk -v n="$1" 'BEGIN { print n / 100 < 0.5 ? 0.5 : n / 100 }')
shift
exec /usr/bin/timeout -k 1 "$limit" "$@"
`;

const LONG = { happens: "hang", words: "30" } as const;

describe.concurrent("an engine that hangs", () => {
  for (const call of [
    "start api-*",
    "start database-*",
    "stop database-*",
    "policy *",
    "password database-*",
  ]) {
    it(`in "${call}": the release is taken back, and the lock is free`, async () => {
      const { world, next } = await stage(SCENARIOS.password);
      const start = serving(world);
      world.tool("timeout", SHORTENED);
      world.fault({ call, ...LONG });
      const { code, output } = await release(world, next);
      expect(world.faultHappened).toBe(true);
      expect(output).toMatch(/no answer from the Docker engine within \d+ s|did not end within/);
      expect(output).toContain("taking the release back");
      expect(output).toMatch(/release \w+ serves, as before: /);
      expect(code).toBe(1);
      expect(serving(world)).toEqual(start);
      expect(world.lockIsFree()).toBe(true);
      expect((await release(world, next)).code).toBe(0);
      expect(violations(world)).toEqual([]);
    });
  }

  it("is told by the facts as an engine that does not answer", async () => {
    const world = World.create();
    await deployed(world, full());
    world.tool("timeout", SHORTENED);
    world.fault({ call: "version*", ...LONG });
    const facts = await world.facts();
    expect(world.faultHappened).toBe(true);
    expect(facts.errors).toEqual([
      expect.stringMatching(
        /^no Docker engine answers on the host: no answer from the Docker engine within 20 s/,
      ),
    ]);
    expect(prepare(world, full()).plan.refusals).toEqual([]);
  });
});
