/**
 * How long going back to a release takes, beside the deploy that it takes back: the example CRM on this machine's engine,
 * turn by turn, so that both meet the same machine. Prints a table; the ratio is taken pair by pair.
 *
 *   npm run bench:rollback [-- ROUNDS]
 */
import { Site } from "../test/e2e/lib/site";
import { markdownTable } from "../test/e2e/lib/table";
import { median } from "../plan/words/median";

const version = (service: string): string => `examples/crm/${service}/src/version.ts`;

interface Change {
  readonly what: string;
  apply(site: Site, mark: string): Promise<void>;
}

const CHANGES: readonly Change[] = [
  {
    what: "a setting, no build",
    apply: ({ workspace }, mark) => workspace.set("services.frontend.env.NOTE", mark),
  },
  {
    what: "one file of one service",
    apply: ({ workspace }, mark) => workspace.replace(version("frontend"), '"1.0.0"', JSON.stringify(mark)),
  },
  {
    what: "one file of both services",
    async apply({ workspace }, mark) {
      for (const service of ["backend", "frontend"])
        await workspace.replace(version(service), '"1.0.0"', JSON.stringify(mark));
    },
  },
  {
    what: "both services, with their dependencies",
    async apply({ workspace }, mark) {
      for (const service of ["backend", "frontend"]) {
        const file = `examples/crm/${service}/package.json`;
        await workspace.replace(file, '"private": true', `"private": true, "description": "${mark}"`);
      }
    },
  },
];

async function main(rounds: number): Promise<void> {
  const site = await Site.onThisMachine(`bench-${process.pid}`);
  try {
    await up(site);
    const rows: string[][] = [];
    for (const change of CHANGES) rows.push(await measure(site, change, rounds));
    console.log(markdownTable(["what the deploy changed", "deploy, s", "back, s", "back / deploy"], rows));
  } finally {
    await site.remove();
  }
}

/** Medians of so many pairs. */
async function measure(site: Site, change: Change, rounds: number): Promise<string[]> {
  const { what } = change;
  const pairs: { deploy: number; back: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const before = Number((await site.pulumi.outputs())["number"]);
    // Never seen before, or the engine's cache would spare the build.
    await change.apply(site, `${what} ${Date.now()}`);
    const deploy = await up(site);
    await site.workspace.set("rollbackTo", before);
    const back = await up(site);
    pairs.push({ deploy, back });
    console.log(`${what}, ${round}: deploy ${deploy.toFixed(1)} s, back ${back.toFixed(1)} s`);
    // Without the pin; that is a release too, and not timed.
    await site.workspace.restore();
    await up(site);
  }
  return [
    `${what} (${rounds})`,
    median(pairs.map(({ deploy }) => deploy)).toFixed(1),
    median(pairs.map(({ back }) => back)).toFixed(1),
    median(pairs.map(({ deploy, back }) => back / deploy)).toFixed(2),
  ];
}

/** @returns seconds */
async function up(site: Site): Promise<number> {
  const { code, text, seconds } = await site.pulumi.up();
  if (code !== 0) throw new Error(text);
  return seconds;
}

const rounds = Number(process.argv[2] ?? 3);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) {
  console.error("usage: npm run bench:rollback [-- ROUNDS], 1 to 20 (3)");
  process.exitCode = 2;
} else {
  main(rounds).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
