import { afterAll, beforeAll, describe, it } from "vitest";
import { cell } from "./faults/cell";
import { clockIsSet } from "./faults/clock";
import { engineCrashes } from "./faults/crash";
import { killedAfterCreation } from "./faults/created";
import { INTERRUPTIONS, interrupted, sameState, secondStops, secondWaits } from "./faults/deployers";
import { DISRUPTIONS } from "./faults/disruptions";
import { Exchange } from "./faults/exchange";
import { Hold, type Moment, momentName } from "./faults/hold";
import { MOMENTS } from "./faults/moments";
import { Results } from "./faults/results";
import type { Stage } from "./faults/stage";
import { BROKEN_VERSIONS, brokenVersion } from "./faults/versions";
import { freshBox, switchOff } from "./lib/box";
import { expectSuccess } from "./lib/expect";
import { everyRow } from "./lib/rows";
import { Site } from "./lib/site";

const BOX = "faults";

/**
 * `npm run test:faults` tries every fault at every verb, and all that is below; TESTS=all one diagonal of the table; else each
 * fault is tried once.
 */
const every = process.env["FAULTS"] === "all";

describe("faults, in the box over ssh, under constant requests", () => {
  const results = new Results(BOX);
  let stage: Stage | undefined;

  beforeAll(async () => {
    const site = await Site.inBox(await freshBox(BOX), "faults");
    const hold = new Hold(site.host, `${site.stateFolder}/journal`);
    const exchange = new Exchange(site);
    await exchange.prepare();
    // A full disk is found by the checklist, before anything; what comes after it is tested here.
    await site.workspace.set("checks", { disk: { level: "off" } });
    await site.workspace.keepConfig();
    await site.pulumi.up();
    // The first one is not what is tested here; on a busy machine its time may not do.
    expectSuccess(await site.pulumi.up());
    await site.crm.createContact(site.contactName);
    await hold.install();
    stage = { site, hold, exchange, results };
  });

  const finish = async () => {
    if (stage === undefined) return;
    await stage.hold.remove();
    await stage.site.workspace.remove();
    await switchOff(BOX);
  };

  const test = (name: string, work: (stage: Stage) => Promise<void>) => {
    it(name, async () => {
      if (stage === undefined) throw new Error("there is no site");
      await work(stage);
    });
  };

  /** Each moment once, each fault several times; all diagonals together are the whole table. */
  const diagonal = (moments: readonly Moment[], shift: number) => {
    for (const [j, moment] of moments.entries()) {
      const disruption = DISRUPTIONS[(j + shift) % DISRUPTIONS.length];
      if (disruption === undefined) continue;
      test(`${disruption.name} at ${momentName(moment)}`, (stage) => cell(stage, moment, disruption));
    }
  };
  // The normal run: one moment of each verb until the route, which is when the new release has taken over.
  const first = MOMENTS.filter((one, i) => MOMENTS.findIndex(({ verb }) => verb === one.verb) === i);
  const untilRoute = first.slice(
    0,
    first.findIndex(({ verb }) => verb === "observe"),
  );
  if (every) diagonal(MOMENTS, 0);
  else diagonal(everyRow ? untilRoute : untilRoute.slice(-DISRUPTIONS.length), 0);
  test("the engine crashes while nobody deploys", engineCrashes);
  if (!every) {
    afterAll(finish);
    return;
  }

  for (const version of BROKEN_VERSIONS) {
    test(`the new version: ${version.name}`, (stage) => brokenVersion(stage, version));
  }

  test("pulumi is killed when a container is made and its state does not know of it", killedAfterCreation);
  test("the clock is set ahead by an hour while requests wait", (stage) => clockIsSet(stage, -3600));
  test("the clock is set back by an hour while requests wait", (stage) => clockIsSet(stage, 3600));

  test("two deploys of one state: Pulumi refuses the second", sameState);
  test("a deploy after pulumi cancel waits for the runner that is still at work", secondWaits);
  test(
    "a deploy after pulumi cancel that may not wait says who is at work, at what, and changes nothing",
    secondStops,
  );

  for (const interruption of INTERRUPTIONS) {
    test(`Ctrl-C ${interruption.name}`, (stage) => interrupted(stage, interruption, 1));
    test(`Ctrl-C twice ${interruption.name}`, (stage) => interrupted(stage, interruption, 2));
  }

  for (let shift = 1; shift < DISRUPTIONS.length; shift += 1) diagonal(MOMENTS, shift);

  afterAll(finish);
});
