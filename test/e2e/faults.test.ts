import { afterAll, beforeAll, describe, it } from "vitest";
import { cell, type Stage } from "./faults/cell";
import { DISRUPTIONS } from "./faults/disruptions";
import { Exchange } from "./faults/exchange";
import { Hold, momentName } from "./faults/hold";
import { MOMENTS } from "./faults/moments";
import { Results } from "./faults/results";
import { freshBox, switchOff } from "./lib/box";
import { expectSuccess } from "./lib/expect";
import { Site } from "./lib/site";

const BOX = "faults";

/** `npm run test:faults` tries every fault at every verb; else each fault and each verb comes up at least once. */
const every = process.env["FAULTS"] === "all";

describe("faults, in the box over ssh, under constant requests", () => {
  const results = new Results();
  let stage: Stage | undefined;

  beforeAll(async () => {
    const site = await Site.inBox(await freshBox(BOX), "faults");
    const hold = new Hold(site.host, `${site.stateFolder}/journal`);
    const exchange = new Exchange(site);
    await exchange.prepare();
    await site.workspace.keepConfig();
    expectSuccess(await site.pulumi.up());
    await site.crm.createContact(site.contactName);
    await hold.install();
    stage = { site, hold, exchange, results };
  });

  for (const [i, disruption] of DISRUPTIONS.entries()) {
    for (const [j, moment] of MOMENTS.entries()) {
      if (!every && j % DISRUPTIONS.length !== i) continue;
      it(`${disruption.name} at ${momentName(moment)}`, async () => {
        if (stage === undefined) throw new Error("there is no site");
        await cell(stage, moment, disruption);
      });
    }
  }

  afterAll(async () => {
    if (stage === undefined) return;
    await stage.hold.remove();
    await stage.site.workspace.remove();
    await switchOff(BOX);
  });
});
