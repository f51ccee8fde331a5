/**
 * This program beside docker compose, Docker Swarm, and docker-rollout where that is on PATH: the example CRM over ssh, each on
 * a box of 1 GiB of its own, turn by turn, so that all meet the same machine; who waits for a turn is frozen.
 * Prints medians with their spread, and ratios pair by pair. A run that does not do its work is an error, not a row.
 *
 *   npm run bench -- [--rounds 3] [--delay 40] [--rate 50] [--only swarm] [--json FILE]
 *
 * --delay: milliseconds of a round trip to the box, for ssh alone. Visitors are always near.
 * --rate: requests a second meanwhile. --only: one of compose, swarm, rollout beside this program.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type Box, freshBox, switchOff } from "../test/e2e/lib/box";
import { pause, run } from "../test/e2e/lib/command";
import { Load, RATE } from "../test/e2e/lib/load";
import { compose } from "./lib/compose";
import type { Contender } from "./lib/contender";
import { ours } from "./lib/ours";
import { peakOf } from "./lib/peak";
import { Relay } from "./lib/relay";
import { headOf, type Measured, type Run, tableOf } from "./lib/results";
import { rollout, rolloutOnPath } from "./lib/rollout";
import { swarm } from "./lib/swarm";

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
      await contender.revert();
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
      await contender.revert();
      await contender.change("backend", mark);
      return undefined;
    },
    run: (one) => one.deploy(),
  },
  {
    name: "both services",
    async prepare(contender, mark) {
      await contender.revert();
      // Another mark than the backend's own, which is deployed already.
      const both = `${mark}.both`;
      await contender.change("backend", both);
      await contender.change("frontend", both);
      return both;
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

type Start = (box: Box) => Promise<Contender>;

/** Those beside this program. */
const OTHERS: Readonly<Record<string, Start>> = { compose, swarm, rollout };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      delay: { type: "string", default: "0" },
      rate: { type: "string", default: String(RATE) },
      only: { type: "string" },
      json: { type: "string" },
    },
  });
  const [rounds, delay, rate] = [Number(values.rounds), Number(values.delay), Number(values.rate)];
  const wanted = values.only === undefined ? await present() : [values.only];
  const starts: readonly (readonly [string, Start])[] = [
    ["own", (box) => ours(box, `bench-${process.pid}`)],
    ...wanted.map((name) => {
      const start = OTHERS[name];
      if (start === undefined) throw new Error(`--only ${name}: there are ${Object.keys(OTHERS).join(", ")}`);
      return [name, start] as const;
    }),
  ];
  const results: Measured[] = [];
  const contenders: Contender[] = [];
  const relays: Relay[] = [];
  let machine = "";
  try {
    for (const [name, start] of starts) {
      const box = await freshBox(`bench-${name}`);
      const relay = delay > 0 ? await Relay.to(box.sshPort, delay) : undefined;
      if (relay !== undefined) relays.push(relay);
      const contender = await start({ ...box, sshPort: relay?.port ?? box.sshPort });
      contenders.push(contender);
      if (machine === "") machine = await describeMachine(box);
      results.push(await first(contender));
      await box.freeze();
    }
    for (let round = 0; round < rounds; round++) {
      // Whoever begins finds the machine as another left it: in turns.
      const order = [
        ...contenders.slice(round % contenders.length),
        ...contenders.slice(0, round % contenders.length),
      ];
      for (const work of WORKS)
        for (const contender of order)
          if (!contender.lacks?.includes(work.name))
            results.push(
              await thawed(contender, (one) => measure(work, one, `${process.pid}.${round}`, rate)),
            );
      for (const contender of contenders)
        for (const [name, look] of Object.entries(contender.looks ?? {}))
          results.push(await thawed(contender, (one) => timed(name, one, look)));
    }
  } finally {
    for (const contender of contenders) {
      await contender.box.thaw();
      await contender.remove().catch(console.error);
    }
    for (const relay of relays) relay.close();
    for (const [name] of starts) await switchOff(`bench-${name}`);
  }
  const whole: Run = { machine, delay, rate, rounds, results };
  console.log(`\n${headOf(whole)}\n\n${tableOf(results)}`);
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(whole, undefined, 2));
}

/** Those whose programs are here. docker-rollout is the only one that may be absent. */
async function present(): Promise<string[]> {
  const found = await rolloutOnPath();
  if (found === undefined) console.error("docker-rollout is not on PATH: without it");
  return Object.keys(OTHERS).filter((name) => name !== "rollout" || found !== undefined);
}

/** Nobody's box but this one's gets processor time meanwhile. */
async function thawed<T>(contender: Contender, work: (one: Contender) => Promise<T>): Promise<T> {
  await contender.box.thaw();
  // What fell due while it was frozen comes first: health checks, renewals.
  await pause(1500);
  try {
    return await work(contender);
  } finally {
    await contender.box.freeze();
  }
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
async function timed(
  work: string,
  { name, box }: Contender,
  look: () => Promise<unknown>,
): Promise<Measured> {
  const [seconds, peak] = await peakOf(box.host, async () => {
    const began = performance.now();
    await look();
    return (performance.now() - began) / 1000;
  });
  return { work, contender: name, seconds, sent: 0, failed: 0, longestGap: 0, p99: 0, peak };
}

async function first(contender: Contender): Promise<Measured> {
  const whole = await timed("first deploy", contender, async () => {
    if (!(await contender.deploy())) throw new Error(`${contender.name}: the first deploy failed`);
  });
  await contender.crm.page();
  return whole;
}

async function measure(work: Work, contender: Contender, mark: string, rate: number): Promise<Measured> {
  const version = await work.prepare(contender, mark);
  const load = new Load(contender.crm, undefined, rate);
  await pause(500);
  const [{ seconds, succeeded, watch }, peak] = await peakOf(contender.box.host, async () => {
    const began = performance.now();
    const seen = version === undefined ? undefined : watchFor(contender, version, began);
    const done = await work.run(contender);
    return { seconds: (performance.now() - began) / 1000, succeeded: done, watch: seen };
  });
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
    peak,
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
