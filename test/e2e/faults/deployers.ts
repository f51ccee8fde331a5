import { expect } from "vitest";
import { pause } from "../lib/command";
import { expectFailure, expectNoneFailed, expectSuccess } from "../lib/expect";
import type { Running } from "../lib/pulumi";
import type { Site } from "../lib/site";
import type { Moment } from "./hold";
import type { Stage } from "./stage";

/** Start-first: however long the runner is held here, no request waits. */
const AWAITED: Moment = { verb: "healthy", on: "frontend-*", call: "docker exec *" };
const ROUTED: Moment = { verb: "route", on: "*", call: "docker exec -i *" };

const WHO =
  /release [0-9a-f]{12} by \S+@\S+, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \w+, now waiting for frontend-[0-9a-f]{12} to be healthy/;

/** A second `up` of the same state is refused by Pulumi's own lock; the first one is not disturbed. */
export async function sameState({ site, hold, exchange }: Stage): Promise<void> {
  await exchange.next();
  const [, load] = await site.underLoad(async () => {
    await hold.arm(AWAITED);
    const first = site.pulumi.startUp();
    await hold.reached(90);
    const second = await site.pulumi.up();
    expectFailure(second);
    expect(second.text).toMatch(/the stack is currently locked by 1 lock/);
    await hold.release();
    expectSuccess(await first.end);
  });
  expectNoneFailed(load);
  await expectUnchanged(site);
}

/** `pulumi cancel` frees Pulumi's lock while a runner is at work: the host's own lock keeps the second one waiting. */
export async function secondWaits(stage: Stage): Promise<void> {
  const { site, hold } = stage;
  const [, load] = await site.underLoad(async () => {
    await abandoned(stage);
    const began = performance.now();
    const second = site.pulumi.startUp();
    await pause(5000);
    await hold.release();
    expectSuccess(await second.end);
    expect(performance.now() - began).toBeGreaterThan(5000);
  });
  expectNoneFailed(load);
  await expectUnchanged(site);
}

/** With no time to wait it stops, changes nothing, and says who is at work, since when, at what. */
export async function secondStops(stage: Stage): Promise<void> {
  const { site, hold } = stage;
  const [, load] = await site.underLoad(async () => {
    await abandoned(stage);
    await site.workspace.set("host.lockWait", 1);
    const before = await site.host.containers(site.fullName);
    const preview = await site.pulumi.preview();
    expect(preview.text).toMatch(WHO);
    const second = await site.pulumi.up();
    expectFailure(second);
    expect(second.text).toMatch(WHO);
    expect(second.text).toMatch(/Run 'pulumi up' again when it is done/);
    expect(second.text).toContain("Nothing was changed.");
    expect(await site.host.containers(site.fullName)).toEqual(before);
    await site.workspace.set("host.lockWait", undefined);
    await hold.release();
    expectSuccess(await site.pulumi.up());
  });
  expectNoneFailed(load);
  await expectUnchanged(site);
}

/** Leaves a runner at work, held, with nobody who waits for it, and Pulumi's lock taken away. */
async function abandoned({ site, hold, exchange }: Stage): Promise<void> {
  await exchange.next();
  await hold.arm(AWAITED);
  const first = site.pulumi.startUp();
  await hold.reached(90);
  first.kill();
  await first.end;
  await site.pulumi.cancel();
}

/** When Ctrl-C comes. */
export const INTERRUPTIONS: readonly {
  readonly name: string;
  readonly moment?: Moment;
  /** What the output says then, where no verb is held. */
  readonly says?: RegExp;
  readonly change?: (site: Site) => Promise<void>;
}[] = [
  {
    name: "during a build",
    says: /Image frontend-[0-9a-f]{12} creating/,
    // A comment alone: it is another source each time.
    change: ({ workspace }) =>
      workspace.replace("examples/crm/frontend/src/version.ts", "export", `// ${Date.now()}\nexport`),
  },
  { name: "while containers are created", says: /Container backend-[0-9a-f]{12} creating/ },
  { name: "while the new frontend is awaited", moment: AWAITED },
  { name: "at the switch of routes", moment: ROUTED },
];

/** Ctrl-C once leaves no lock; twice may. Neither leaves half a release. */
export async function interrupted(
  stage: Stage,
  { moment, says, change }: (typeof INTERRUPTIONS)[number],
  times: 1 | 2,
): Promise<void> {
  const { site, hold, exchange } = stage;
  await exchange.next();
  await change?.(site);
  const [, load] = await site.underLoad(async () => {
    if (moment !== undefined) await hold.arm(moment);
    const run = site.pulumi.startUp({ ownGroup: true });
    await (moment === undefined ? run.says(says ?? /./) : hold.reached(90));
    await interrupt(run, times);
    // After one, pulumi waits for the runner, which would be held for longer than a visitor waits.
    await hold.release();
    const first = await run.end;
    expect(first.code, first.text).not.toBe(0);
    if (times === 2) await site.pulumi.cancel().catch(() => undefined);
    expectSuccess(await site.pulumi.up());
  });
  expectNoneFailed(load);
  await expectUnchanged(site);
}

async function interrupt(run: Running, times: 1 | 2): Promise<void> {
  run.interrupt();
  if (times === 1) return;
  await pause(500);
  run.interrupt();
}

/** What serves is whole, and a further `up` changes nothing. */
export async function expectUnchanged(site: Site): Promise<void> {
  const serving = await site.running();
  expect(Object.keys(serving).sort()).toEqual(["backend", "database", "frontend", "proxy"]);
  const again = await site.pulumi.up();
  expectSuccess(again);
  expect(again.changes).toEqual([]);
  expect(await site.running()).toEqual(serving);
}
