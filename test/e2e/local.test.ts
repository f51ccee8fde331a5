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

  // The engine is shared with others: this takes back all that was made, the data too.
  afterAll(async () => {
    if (site === undefined) return;
    await site.report.write();
    const { code, text } = await site.pulumi.destroy();
    if (code !== 0) throw new Error(text);
    for (const volume of await site.host.volumes(site.fullName))
      await site.host.sh(`docker volume rm ${volume}`);
    await site.workspace.remove();
  });
});
