import { ops } from "../../test/e2e/lib/ops";
import { Site } from "../../test/e2e/lib/site";
import type { Box } from "../../test/e2e/lib/box";
import { run } from "../../test/e2e/lib/command";
import { checkout } from "../../test/e2e/lib/checkout";
import type { Contender } from "./contender";

const versionFile = (service: string): string => `examples/crm/${service}/src/version.ts`;

/** This program, as its README says. */
export async function ours(box: Box, stack: string): Promise<Contender> {
  const site = await Site.inBox(box, stack);
  const commit = (await run("git", ["describe", "--always", "--dirty"], { cwd: checkout })).trim();
  const deploy = async () => {
    const { code, text } = await site.pulumi.up();
    if (code !== 0 && !expected(text)) throw new Error(text);
    return code === 0;
  };
  return {
    name: `this program ${commit}`,
    box,
    crm: site.crm,
    change: async (service, mark) => {
      await site.workspace.replace(versionFile(service), '"1.0.0"', JSON.stringify(mark));
    },
    breakBackend: async () => {
      await site.workspace.set("services.backend.env.CRM_FAULT", "unhealthy");
      await site.workspace.set("services.backend.startTimeout", 10);
    },
    revert: () => site.workspace.restore(),
    deploy,
    back: async () => {
      await site.workspace.restore();
      return deploy();
    },
    looks: {
      preview: () => succeeds(site.pulumi.preview()),
      ...Object.fromEntries(
        ["status", "releases", "log"].map((verb) => [`ops ${verb}`, () => succeeds(ops(site, [verb]))]),
      ),
    },
    remove: () => site.workspace.remove(),
  };
}

async function succeeds(running: Promise<{ code: number | null }>): Promise<void> {
  const { code } = await running;
  if (code !== 0) throw new Error(`ended with ${code ?? "a signal"}`);
}

const expected = (text: string): boolean => /serves, as before/.test(text);
