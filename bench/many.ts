/**
 * What the number of services costs: 4 and 40 copies of a static site on this machine's engine, by this program and by docker
 * compose, one after the other, since the health checks of so many take their share of the processor: nothing changed, one file of one service, the preview.
 * Prints medians, and the ratio of many to few; a deploy that does not do its work is an error.
 *
 *   npm run bench:many [-- --few 4 --many 40 --rounds 3]
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkout } from "../test/e2e/lib/checkout";
import { run } from "../test/e2e/lib/command";
import { Example } from "../test/e2e/lib/example";
import { freePort } from "../test/e2e/lib/port";
import type { Outcome } from "../test/e2e/lib/pulumi";
import { markdownTable } from "../test/e2e/lib/table";
import { composeOnPath } from "./lib/compose";
import { median } from "../plan/words/median";

const EXAMPLE = join("examples", "static-site");
const PAGE = join("site", "index.html");

interface Fleet {
  readonly name: string;
  readonly services: readonly string[];
  /** What is timed. @returns seconds */
  readonly works: Readonly<Record<string, (mark: string) => Promise<number>>>;
  remove(): Promise<void>;
}

const NOTHING = "nothing changed";
const ONE = "one file of one service";
const PREVIEW = "preview";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      few: { type: "string", default: "4" },
      many: { type: "string", default: "40" },
      rounds: { type: "string", default: "3" },
    },
  });
  const counts = [Number(values.few), Number(values.many)] as const;
  const programs: string[] = [];
  const times = new Map<string, number[]>();
  for (const count of counts)
    for (const start of [ours, compose]) {
      const fleet = await start(Array.from({ length: count }, (_, i) => `site-${i + 1}`));
      if (!programs.includes(fleet.name)) programs.push(fleet.name);
      try {
        for (let round = 0; round < Number(values.rounds); round++)
          for (const [work, timed] of Object.entries(fleet.works)) {
            const seconds = await timed(`${process.pid}.${round}`);
            console.error(`${work}: ${fleet.name}, ${count} services: ${seconds.toFixed(1)} s`);
            const key = keyOf(work, fleet.name, count);
            times.set(key, [...(times.get(key) ?? []), seconds]);
          }
      } finally {
        await fleet.remove();
      }
    }
  console.log(tableOf(programs, times, counts));
}

const keyOf = (work: string, name: string, count: number): string => `${work}|${name}|${count}`;

function tableOf(
  programs: readonly string[],
  times: ReadonlyMap<string, readonly number[]>,
  [few, many]: readonly [number, number],
): string {
  const rows = [NOTHING, ONE, PREVIEW].flatMap((work) =>
    programs.flatMap((name) => {
      const [less, more] = [few, many].map((count) => times.get(keyOf(work, name, count)));
      if (less === undefined || more === undefined) return [];
      return [
        [work, name, ...[median(less), median(more), median(more) / median(less)].map((n) => n.toFixed(1))],
      ];
    }),
  );
  return markdownTable(["work", "by", `${few} services, s`, `${many} services, s`, "ratio"], rows);
}

/** This program. */
async function ours(services: readonly string[]): Promise<Fleet> {
  const site = await Example.of("static-site", `many-${services.length}`);
  const { workspace, pulumi } = site;
  await copies(workspace.folder, services);
  await workspace.set(
    "services",
    Object.fromEntries(
      services.map((service, i) => [
        service,
        { source: service, port: 80, route: i === 0 ? "/" : `/${service}/`, health: "/health", memory: 32 },
      ]),
    ),
  );
  const succeeded = async (running: Promise<Outcome>) => {
    const { code, text, seconds } = await running;
    if (code !== 0) throw new Error(text);
    return seconds;
  };
  await succeeded(pulumi.up());
  return {
    name: "this program",
    services,
    works: {
      [NOTHING]: () => succeeded(pulumi.up()),
      [ONE]: async (mark) => {
        await edit(workspace.folder, services[0] ?? "", mark);
        const seconds = await succeeded(pulumi.up());
        await expectMark(new URL(site.address).port, mark);
        return seconds;
      },
      [PREVIEW]: () => succeeded(pulumi.preview()),
    },
    remove: () => site.remove(),
  };
}

/** docker compose, with a health check of each every second, which is kind to it. */
async function compose(services: readonly string[]): Promise<Fleet> {
  const program = await composeOnPath();
  const folder = await mkdtemp(join(tmpdir(), "bench-many-"));
  await copies(folder, services);
  const port = await freePort();
  const file = {
    services: Object.fromEntries(
      services.map((service, i) => [
        service,
        {
          build: service,
          mem_limit: "32m",
          ports: i === 0 ? [`127.0.0.1:${port}:80`] : [],
          healthcheck: { test: ["CMD", "curl", "-fs", "http://127.0.0.1/health"], interval: "1s" },
        },
      ]),
    ),
  };
  await writeFile(join(folder, "compose.yaml"), JSON.stringify(file));
  const ask = async (...args: string[]) => {
    const began = performance.now();
    const [first = "", ...rest] = [...program, "-p", `many-${services.length}`, ...args];
    await run(first, rest, { cwd: folder, timeout: 600_000 });
    return (performance.now() - began) / 1000;
  };
  const up = () => ask("up", "-d", "--build", "--wait");
  await up();
  return {
    name: "docker compose",
    services,
    works: {
      [NOTHING]: up,
      [ONE]: async (mark) => {
        await edit(folder, services[0] ?? "", mark);
        const seconds = await up();
        await expectMark(String(port), mark);
        return seconds;
      },
    },
    remove: async () => {
      await ask("down", "--rmi", "local", "--timeout", "5");
      await rm(folder, { recursive: true });
    },
  };
}

/** Each service has a folder of its own to build from. */
async function copies(folder: string, services: readonly string[]): Promise<void> {
  for (const service of services)
    await cp(join(checkout, EXAMPLE), join(folder, service), { recursive: true });
}

async function edit(folder: string, service: string, mark: string): Promise<void> {
  const page = join(folder, service, PAGE);
  const text = await readFile(join(checkout, EXAMPLE, PAGE), "utf8");
  await writeFile(page, text.replace("</body>", `<!-- ${mark} --></body>`));
}

/** @throws Error when the first service does not show it */
async function expectMark(port: string, mark: string): Promise<void> {
  const page = await fetch(`http://localhost:${port}/`);
  if (!(await page.text()).includes(mark)) throw new Error(`${mark} is not met`);
}

void main();
