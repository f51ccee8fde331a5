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
import { z } from "zod";
import { type Box, freshBox, switchOff } from "../test/e2e/lib/box";
import { pause, run } from "../test/e2e/lib/command";
import { Load } from "../test/e2e/lib/load";
import { compose } from "./lib/compose";
import type { Contender } from "./lib/contender";
import { ours } from "./lib/ours";
import { Relay } from "./lib/relay";
import { type Measured, type Run, tableOf } from "./lib/results";

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
  const machine = await describeMachine(near);
  try {
    for (const contender of contenders) results.push(await first(contender));
    for (let round = 0; round < rounds; round++) {
      // Whoever begins finds the machine as the other left it: in turns.
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const work of WORKS)
        for (const contender of order)
          results.push(await measure(work, contender, `${process.pid}.${round}`));
      for (const contender of order)
        for (const [name, look] of Object.entries(contender.looks ?? {}))
          results.push(await timed(name, contender, look));
    }
  } finally {
    for (const contender of contenders) await contender.remove().catch(console.error);
    for (const relay of relays) relay.close();
    for (const name of names) await switchOff(name);
  }
  const whole: Run = { machine, delay, rounds, results };
  console.log(`\n${machine}, ${delay} ms round trip, ${rounds} rounds\n\n${tableOf(results)}`);
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(whole, undefined, 2));
}

/** What the figures depend on. */
async function describeMachine(box: Box): Promise<string> {
  const engine = await box.host.sh("docker version --format '{{.Server.Version}}'");
  const plugins = z
    .array(z.object({ name: z.string(), version: z.string() }))
    .parse(JSON.parse(await run("pulumi", ["plugin", "ls", "--json"])))
    .map(({ name, version }) => `${name} ${version}`);
  const pulumi = (await run("pulumi", ["version"])).trim();
  const processors = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`;
  return [
    new Date().toISOString().slice(0, 10),
    processors,
    `Node ${process.versions.node}`,
    `Docker ${engine}`,
    `Pulumi ${pulumi}`,
    ...plugins,
  ].join(", ");
}

/** Under no load. */
async function timed(work: string, { name }: Contender, look: () => Promise<unknown>): Promise<Measured> {
  const began = performance.now();
  await look();
  const seconds = (performance.now() - began) / 1000;
  return { work, contender: name, seconds, sent: 0, failed: 0, longestGap: 0, p99: 0 };
}

async function first(contender: Contender): Promise<Measured> {
  const whole = await timed("first deploy", contender, async () => {
    if (!(await contender.deploy())) throw new Error(`${contender.name}: the first deploy failed`);
  });
  await contender.crm.page();
  return whole;
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

void main();
