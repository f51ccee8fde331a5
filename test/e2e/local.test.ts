import { afterAll, beforeAll, describe } from "vitest";
import { Scenarios } from "./lib/scenarios";
import { Site } from "./lib/site";
import { firstAndAgain } from "./scenarios/first";
import { byHand } from "./scenarios/ops";

describe("the example CRM on this machine's engine", () => {
  let site: Site | undefined;
  const scenarios = new Scenarios(() => site);

  beforeAll(async () => {
    site = await Site.onThisMachine(`e2e-${process.pid}`);
  });

  firstAndAgain(scenarios);
  byHand(scenarios);

  afterAll(async () => {
    if (site === undefined) return;
    await site.report.write();
    await site.remove();
  });
});
