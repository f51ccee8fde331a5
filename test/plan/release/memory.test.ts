import { describe, expect, it } from "vitest";
import { type Facts, NO_FACTS } from "../../../plan/found/facts";
import { budget, needAtStart } from "../../../plan/release/memory";
import { explain } from "../../../plan/words/explain";
import { change, read } from "../support/config";
import { SHOP } from "../support/shop";
import { EMPTY_HOST, hostAfter, payload, planned } from "../support/stack";

/** What must be free on the host when a release starts its containers. */

/** MiB: the limits of all that serves, the proxy's 48 included. */
const LIMITS = 568;
const serving = planned(read(SHOP));
/** A host with so many MiB beside these limits; others use 300. */
const hostWith = (free: number): Facts =>
  hostAfter(serving, { total: (300 + LIMITS + free) * 1024, used: 300 * 1024, ours: 0 });
const next = (facts: Facts, path: string, value: unknown) => planned(read(change(SHOP, path, value)), facts);
const byName = (needs: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(needs).map(([key, mib]) => [key.replace(/-[0-9a-f]{12}$/, ""), mib]));

describe("what must be free at each start", () => {
  it("is the limit of each that is started, where all limits fit", () => {
    const { plan } = next(hostWith(160), "services.backend.image", "backend:2");
    expect(byName(plan.needs)).toEqual({ backend: 160, "backend-migrate": 160 });
    expect(plan.spare).toBe(0);
    expect(
      byName(planned(read(SHOP), { ...EMPTY_HOST, memory: { total: 2e6, used: 3e5, ours: 0 } }).plan.needs),
    ).toEqual({
      database: 200,
      proxy: 48,
      backend: 160,
      "backend-migrate": 160,
      frontend: 96,
      worker: 64,
    });
  });

  it("counts a migration, which runs beside the old version also where that is stopped first", () => {
    const facts = hostWith(159);
    const done = next(facts, "services.backend.image", "backend:2");
    expect(done.plan.changes.find(({ service }) => service === "backend")?.order).toBe("stop-first");
    expect(done.plan.spare).toBe(-1);
    // The limits do not fit: whoever configured that counts on use, and so does the runner.
    expect(byName(done.plan.needs)).toEqual({ backend: 80, "backend-migrate": 80 });
    expect(explain(done.plan, done.config, facts)).toContain(
      "memory: during the release the limits of all that runs are 1 MiB more than the host can give: it goes on as long as",
    );
    expect(next(facts, "services.frontend.image", "frontend:2").plan.spare).toBe(159 - 96);
  });

  it("is handed to the runner", () => {
    const done = next(hostWith(200), "services.frontend.image", "frontend:2");
    const key = done.stack.services.find(({ name }) => name === "frontend")?.container.key ?? "";
    expect(payload(done).filter((line) => line.startsWith("need "))).toEqual([`need ${key} 96`]);
  });

  it("is nothing where nothing starts, or the host told nothing of its memory", () => {
    expect(planned(read(SHOP), hostWith(200)).plan.needs).toEqual({});
    expect(serving.plan).toMatchObject({ needs: {}, spare: undefined });
  });

  it("is half the limit, rounded up, where limits are more than the host has", () => {
    expect([needAtStart(97, true), needAtStart(97, false)]).toEqual([97, 49]);
  });
});

describe("the budget", () => {
  it("leaves others' containers what they may still grow by", () => {
    const memory = { total: 1024 * 1024, used: 500 * 1024, ours: 200 * 1024, promised: 100 * 1024 };
    expect(budget({ ...NO_FACTS, memory }, undefined)).toEqual({ total: 1024, others: 400 });
  });
});
