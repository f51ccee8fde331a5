import { expect } from "vitest";
import { pause } from "../lib/command";
import { expectFailure, expectSuccess } from "../lib/expect";
import { Load, type LoadReport } from "../lib/load";
import type { Outcome } from "../lib/pulumi";
import { expectContact } from "../lib/scenarios";
import type { Site } from "../lib/site";
import type { Disruption } from "./disruptions";
import { type Moment, momentName } from "./hold";
import { settle, type Stage } from "./stage";

/** Longer than a hold on a busy machine; the longest gap is reported. */
const PATIENCE_MS = 30_000;

/** One cell of the table: a fault in the middle of a verb, and what must hold then. */
export async function cell(stage: Stage, moment: Moment, disruption: Disruption): Promise<void> {
  const { site, results } = stage;
  const measured: { load?: LoadReport; back?: number; hit?: string; converged?: number } = {};
  let result = "FAILED";
  try {
    await disruption.prepare?.(site);
    await stage.exchange.next();
    const load = new Load(site.crm, PATIENCE_MS);
    try {
      await disrupted(stage, moment, disruption, measured);
      const second = await converge(site);
      measured.converged = second.seconds;
      await results.said(disruption.name, `${momentName(moment)}, converging`, second.text);
      expectSuccess(second);
    } finally {
      await disruption.relieve?.(site);
      measured.load = await load.stop();
    }
    expectHeld(disruption, measured.load);
    await expectConverged(stage);
    result = "ok";
  } finally {
    if (result !== "ok") await settle(stage);
    await disruption.clear?.(site);
    await results.add({ fault: disruption.name, at: momentName(moment), ...measured, result });
  }
}

/** The `up` that is hit; then nobody deploys, and the site must serve by itself. */
async function disrupted(
  { site, hold, results }: Stage,
  moment: Moment,
  disruption: Disruption,
  measured: { back?: number; hit?: string },
): Promise<void> {
  await hold.arm(moment);
  const run = site.pulumi.startUp();
  await Promise.race([
    hold.reached(90),
    run.end.then(({ text }) => Promise.reject(new Error(`too early:\n${text}`))),
  ]);
  const struck = performance.now();
  await disruption.strike(site, hold);
  measured.back = await awaitSite(site, struck, disruption.down ?? 30);
  const first = await run.end;
  await results.said(disruption.name, momentName(moment), first.text);
  measured.hit = first.code === 0 ? "went through" : "failed";
  await disruption.relieve?.(site);
  if (first.code !== 0) {
    expectFailure(first);
    for (const words of disruption.told) expect(first.text).toMatch(words);
  }
  // Nobody deploys for a moment: what serves now must stay.
  await awaitSite(site, performance.now(), disruption.down ?? 30);
}

/** Seconds since `since` until a page and the API answer. */
export async function awaitSite({ crm }: Site, since: number, limit: number): Promise<number> {
  for (;;) {
    try {
      await crm.page();
      await crm.contacts("nobody");
      return (performance.now() - since) / 1000;
    } catch (error) {
      if (performance.now() - since > limit * 1000)
        throw new Error(`the site is not back after ${limit} s`, { cause: error });
      await pause(100);
    }
  }
}

function converge(site: Site): Promise<Outcome> {
  // Refuses when nothing is locked.
  return site.pulumi
    .cancel()
    .catch(() => undefined)
    .then(() => site.pulumi.up());
}

function expectHeld({ down }: Disruption, load: LoadReport): void {
  expect(load.lostWrites, "writes that were confirmed and are not there").toEqual([]);
  expect(load.writes).toBeGreaterThan(0);
  if (down !== undefined) return;
  expect(load.failures.slice(0, 10), `${load.failures.length} of ${load.sent} requests failed`).toEqual([]);
  // A reload or two, and a request that each may meet.
  expect(load.repeated, "requests sent again because their connection was closed").toBeLessThanOrEqual(5);
}

/** What is configured serves, nothing else is left, and a further `up` changes nothing. */
async function expectConverged({ site, exchange }: Stage): Promise<void> {
  const serving = await site.running();
  expect(Object.keys(serving).sort()).toEqual(["backend", "database", "frontend", "proxy"]);
  const notes = await site.host.sh(
    `docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' ${serving.backend?.id ?? ""} ${serving.frontend?.id ?? ""} | sed -n 's/^NOTE=//p'`,
  );
  expect(notes.split("\n")).toEqual([exchange.note, exchange.note]);
  const stopped = (await site.host.containers(site.fullName)).filter(
    (one) => !one.running && one.role !== "migrate",
  );
  expect(stopped.map(({ key }) => key)).toEqual([]);
  const third = await site.pulumi.up();
  expectSuccess(third);
  expect(third.changes).toEqual([]);
  expect(await site.running()).toEqual(serving);
  await expectContact(site);
}
