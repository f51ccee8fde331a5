/**
 * This program beside docker compose: the example CRM over ssh, each on a box of 1 GiB of its own, turn by turn, so that both
 * meet the same machine.
 * Prints medians with their spread, and ratios pair by pair. A run that does not do its work is an error, not a row.
 *
 *   npm run bench -- [--rounds 3] [--delay 40] [--json FILE]
 *
 * --delay: milliseconds of a round trip to the box, for ssh alone. Visitors are always near: 50 requests a second.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Box, freshBox, switchOff } from "../test/e2e/lib/box";
import { pause } from "../test/e2e/lib/command";
import { Load } from "../test/e2e/lib/load";
import { markdownTable } from "../test/e2e/lib/table";
import { compose } from "./lib/compose";
import type { Contender } from "./lib/contender";
import { median } from "./lib/median";
import { ours } from "./lib/ours";
import { Relay } from "./lib/relay";

interface Measured {
  readonly work: string;
  readonly contender: string;
  readonly seconds: number;
  /** Seconds until a visitor first met the new version; undefined where there is none. */
  readonly seen: number | undefined;
  readonly sent: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly longestGap: number;
  readonly p99: number;
}

interface Work {
  readonly name: string;
  /** @returns what it waits for: the frontend's new version */
  prepare(contender: Contender, mark: string): Promise<string | undefined>;
  run(contender: Contender): Promise<boolean>;
  readonly fails?: true;
}

const WORKS: readonly Work[] = [
  { name: "nothing changed", prepare: () => Promise.resolve(undefined), run: (one) => one.deploy() },
  {
    name: "one file of the frontend",
    async prepare(contender, mark) {
      await contender.change("frontend", mark);
      return mark;
    },
    run: (one) => one.deploy(),
  },
  {
    name: "going back to the one before",
    prepare: () => Promise.resolve("1.0.0"),
    run: (one) => one.back(),
  },
  {
    name: "one file of the backend",
    async prepare(contender, mark) {
      await contender.change("backend", mark);
      return undefined;
    },
    run: (one) => one.deploy(),
  },
  {
    name: "a backend that never gets healthy",
    async prepare(contender) {
      await contender.breakBackend();
      return undefined;
    },
    run: (one) => one.deploy(),
    fails: true,
  },
  {
    name: "that taken back",
    async prepare(contender) {
      await contender.revert();
      return undefined;
    },
    run: (one) => one.deploy(),
  },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string" }, delay: { type: "string" }, json: { type: "string" } },
  });
  const rounds = Number(values.rounds ?? 3);
  const delay = Number(values.delay ?? 0);
  const results: Measured[] = [];
  const names = ["bench-own", "bench-other"] as const;
  const boxes = await Promise.all(names.map(freshBox));
  const relays = delay > 0 ? await Promise.all(boxes.map(({ sshPort }) => Relay.to(sshPort, delay))) : [];
  const [near, other] = boxes.map((box, i): Box => ({ ...box, sshPort: relays[i]?.port ?? box.sshPort }));
  if (near === undefined || other === undefined) throw new Error("there are no two boxes");
  const contenders = [await ours(near, `bench-${process.pid}`), await compose(other)];
  try {
    for (const contender of contenders) results.push(await first(contender));
    for (let round = 0; round < rounds; round++) {
      // Whoever begins finds the machine as the other left it: in turns.
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const work of WORKS)
        for (const contender of order)
          results.push(await measure(work, contender, `${process.pid}.${round}`));
    }
  } finally {
    for (const contender of contenders) await contender.remove().catch(console.error);
    for (const relay of relays) relay.close();
    for (const name of names) await switchOff(name);
  }
  const engine = await describeMachine();
  console.log(`\n${engine}, ${delay} ms round trip, ${rounds} rounds\n\n${table(results)}`);
  if (values.json !== undefined)
    await writeFile(values.json, JSON.stringify({ machine: engine, delay, rounds, results }, undefined, 2));
}

const describeMachine = (): Promise<string> =>
  Promise.resolve(
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}`,
  );

async function first(contender: Contender): Promise<Measured> {
  const began = performance.now();
  if (!(await contender.deploy())) throw new Error(`${contender.name}: the first deploy failed`);
  const seconds = (performance.now() - began) / 1000;
  await contender.crm.page();
  const seen = undefined;
  return {
    work: "first deploy",
    contender: contender.name,
    seconds,
    seen,
    sent: 0,
    failed: 0,
    longestGap: 0,
    p99: 0,
  };
}

async function measure(work: Work, contender: Contender, mark: string): Promise<Measured> {
  const version = await work.prepare(contender, mark);
  const load = new Load(contender.crm);
  await pause(500);
  const began = performance.now();
  const watch = version === undefined ? undefined : watchFor(contender, version, began);
  const succeeded = await work.run(contender);
  const seconds = (performance.now() - began) / 1000;
  await pause(500);
  const { sent, failures, longestGap, p99 } = await load.stop();
  for (const { at, what, why } of failures.slice(0, 3)) console.error(`  at ${at} s: ${what}: ${why}`);
  if (succeeded !== (work.fails === undefined))
    throw new Error(`${contender.name}: ${work.name} ${succeeded ? "succeeded" : "failed"}`);
  const seen = await watch;
  console.error(
    `${work.name}: ${contender.name} ${seconds.toFixed(1)} s, ${failures.length} of ${sent} failed`,
  );
  return {
    work: work.name,
    contender: contender.name,
    seconds,
    seen,
    sent,
    failed: failures.length,
    longestGap,
    p99,
  };
}

/** @throws Error when nobody meets that version within two minutes */
async function watchFor({ crm, name }: Contender, version: string, began: number): Promise<number> {
  while (performance.now() - began < 120_000) {
    if ((await crm.frontendVersion().catch(() => "")) === version) return (performance.now() - began) / 1000;
    await pause(25);
  }
  throw new Error(`${name}: version ${version} was never met`);
}

function table(results: readonly Measured[]): string {
  const names = [...new Set(results.map(({ contender }) => contender))];
  const [own = "", ...others] = names;
  const works = [...new Set(results.map(({ work }) => work))];
  const of = (work: string, contender: string) =>
    results.filter((one) => one.work === work && one.contender === contender);
  const rows = works.flatMap((work) =>
    names.map((name) => {
      const all = of(work, name);
      const seconds = all.map((one) => one.seconds);
      const seen = all.flatMap((one) => one.seen ?? []);
      const base = others.includes(name) ? undefined : of(work, others[0] ?? "");
      const ratios = base?.map((one, i) => (of(work, own)[i]?.seconds ?? Number.NaN) / one.seconds);
      return [
        work,
        name,
        spread(seconds),
        ratios === undefined || ratios.length === 0 ? "" : median(ratios).toFixed(2),
        seen.length === 0 ? "-" : median(seen).toFixed(1),
        `${sum(all.map((one) => one.failed))} of ${sum(all.map((one) => one.sent))}`,
        String(Math.max(...all.map((one) => one.longestGap))),
        String(Math.round(median(all.map((one) => one.p99)))),
      ];
    }),
  );
  return markdownTable(
    [
      "work",
      "by",
      "seconds",
      "of compose's",
      "new version met, s",
      "requests failed",
      "longest gap, ms",
      "p99, ms",
    ],
    rows,
  );
}

const sum = (figures: readonly number[]): number => figures.reduce((total, one) => total + one, 0);
const spread = (figures: readonly number[]): string =>
  `${median(figures).toFixed(1)} (${Math.min(...figures).toFixed(1)}-${Math.max(...figures).toFixed(1)})`;

void main();
