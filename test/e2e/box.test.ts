import { afterAll, beforeAll, describe } from "vitest";
import { type Box, freshBox, switchOff } from "./lib/box";
import { Scenarios } from "./lib/scenarios";
import { Site } from "./lib/site";
import { brokenReleases } from "./scenarios/broken";
import { oneFileOfTheFrontend } from "./scenarios/changed";
import { destroyAndBack } from "./scenarios/destroyed";
import { behindJumpHost, overIpv6 } from "./scenarios/jump";
import { firstAndAgain } from "./scenarios/first";
import { killedReleases } from "./scenarios/killed";
import { anotherMachine } from "./scenarios/moved";
import { refusals } from "./scenarios/refused";
import { repairs } from "./scenarios/repaired";

const BOX = "e2e";

describe("the example CRM on a VPS of 1 GiB, over ssh", () => {
  let site: Site | undefined;
  let box: Box;
  const scenarios = new Scenarios(() => site);

  beforeAll(async () => {
    box = await freshBox(BOX);
    site = await Site.inBox(box, "e2e");
  });

  firstAndAgain(scenarios);
  behindJumpHost(scenarios, () => box);
  overIpv6(scenarios, () => box);
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
