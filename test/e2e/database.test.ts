import { afterAll, beforeAll, describe } from "vitest";
import { Scenarios } from "./lib/scenarios";
import { Site } from "./lib/site";
import { firstAndAgain } from "./scenarios/first";
import { databaseChanges } from "./scenarios/database";
import { passwords } from "./scenarios/password";

describe("the database of the example CRM, changed under constant requests", () => {
  let site: Site | undefined;
  const scenarios = new Scenarios(() => site);

  beforeAll(async () => {
    site = await Site.onThisMachine(`database-${process.pid}`);
  });

  firstAndAgain(scenarios);
  databaseChanges(scenarios);
  passwords(scenarios);

  afterAll(async () => {
    if (site === undefined) return;
    await site.report.write();
    await site.remove();
  });
});
