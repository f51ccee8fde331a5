import { afterAll, beforeAll, describe } from "vitest";
import { freshBox, switchOff } from "./lib/box";
import { Scenarios } from "./lib/scenarios";
import { Site } from "./lib/site";
import { brokenReleases } from "./scenarios/broken";
import { oneFileOfTheFrontend } from "./scenarios/changed";
import { destroyAndBack } from "./scenarios/destroyed";
import { firstAndAgain } from "./scenarios/first";
import { killedReleases } from "./scenarios/killed";
import { anotherMachine } from "./scenarios/moved";
import { refusals } from "./scenarios/refused";
import { repairs } from "./scenarios/repaired";

const BOX = "e2e";

describe("the example CRM on a VPS of 1 GiB, over ssh", () => {
  let site: Site | undefined;
  const scenarios = new Scenarios(() => site);

  beforeAll(async () => {
    site = await Site.inBox(await freshBox(BOX), "e2e");
  });

  firstAndAgain(scenarios);
  refusals(scenarios);
  anotherMachine(scenarios);
  oneFileOfTheFrontend(scenarios);
  brokenReleases(scenarios);
  killedReleases(scenarios);
  repairs(scenarios);
  destroyAndBack(scenarios);

  afterAll(async () => {
    if (site === undefined) return;
    await site.report.write();
    await site.workspace.remove();
    await switchOff(BOX);
  });
});
