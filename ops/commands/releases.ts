import { type Command, InvalidArgumentError } from "commander";
import type { Entry } from "../../plan/found/entry";
import type { Facts } from "../../plan/found/facts";
import { obstacles, type Today } from "../../plan/found/ledger";
import { timeOf } from "../../plan/words/time";
import { colors } from "../colors";
import { diskOf } from "../disk";
import type { Selection } from "../pulumi";
import { factsOf, openStack } from "../stack";
import { table } from "../table";

export function addReleases(ops: Command): void {
  ops
    .command("releases")
    .description(
      "every release that was tried, newest first; which can be gone back to, and why others cannot",
    )
    .option("--json", "for programs, with every step")
    .option("-n, --last <count>", "how many", count, 15)
    .action(async (options: { json?: boolean; last: number }, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const facts = await factsOf(stack, ["detail yes"]);
      const releases = describeReleases(facts, stack.config).slice(0, options.last);
      const { project, stack: name } = stack.names;
      const pinnedTo = stack.config.rollbackTo;
      if (options.json === true)
        console.log(JSON.stringify({ project, stack: name, pinnedTo, releases }, null, 2));
      else
        console.log(renderReleases(`${project}/${name} on ${stack.config.host.address}`, releases, pinnedTo));
    });
}

function count(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be a number");
}

/** A release as it is told: an entry of the ledger, and whether it can be gone back to. */
export type Told = Omit<Entry, "images"> & {
  readonly images: Readonly<Record<string, string>>;
  readonly serving: boolean;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly obstacles: readonly string[];
  /** MB on the host that no other release which is ready holds; undefined: not known, or not ready. */
  readonly disk: number | undefined;
};

export function describeReleases(facts: Facts, today: Today): Told[] {
  const all = facts.ledger.map((entry) => ({ entry, found: obstacles(entry, facts, today) }));
  const ready = all.filter(({ found }) => found.length === 0).map(({ entry }) => entry);
  return all.map(({ entry, found }) => {
    const serving = entry.number === facts.current?.number;
    return {
      ...entry,
      images: Object.fromEntries(entry.images),
      serving,
      ready: found.length === 0,
      obstacles: found,
      disk: found.length === 0 ? diskOf(entry, ready, facts) : undefined,
    };
  });
}

export function renderReleases(
  title: string,
  releases: readonly Told[],
  pinnedTo: number | undefined,
): string {
  if (releases.length === 0) return `${title}: no release is on record`;
  const rows = releases.map((one) => [
    one.number,
    timeOf(one.began),
    one.by,
    whatOf(one),
    one.seconds === undefined ? "" : one.seconds.toFixed(1),
    metOf(one),
    resultOf(one),
    one.disk === undefined ? "" : one.disk.toFixed(0),
    one.serving ? colors.green("serves") : one.ready ? "ready" : (one.obstacles[0] ?? ""),
  ]);
  return [
    `${title}${pinnedTo === undefined ? "" : `, PINNED to release ${pinnedTo}`}`,
    "",
    table(
      ["release", "when", "by", "what", "s", "visitors met", "result", "MB of its own", "go back"],
      rows,
      ["right", "left", "left", "left", "right", "left", "left", "right"],
    ),
  ].join("\n");
}

function whatOf({ kind, to, commits }: Told): string {
  const commit = commits.find(({ path }) => path === ".") ?? commits[0];
  const source = commit === undefined ? "" : ` ${commit.commit.slice(0, 9)}${commit.clean ? "" : "+changes"}`;
  return kind === "rollback" ? `back to ${to ?? "?"}` : `${kind}${source}`;
}

function metOf({ met }: Told): string {
  if (met === undefined) return "";
  const failed = met.failed === 0 ? "none failed" : colors.red(`${met.failed} failed`);
  const held = met.held === 0 ? [] : [`${met.held} waited ${met.heldFor.toFixed(1)} s`];
  const gap = met.probed === undefined ? [] : [`gap ${met.probed.gap.toFixed(1)} s`];
  return [`${met.visitors}, ${failed}`, ...held, ...gap].join(", ");
}

function resultOf({ result, reason }: Told): string {
  if (result === "done") return colors.green(result);
  const why = reason?.split("\n")[0]?.replace(/^FAILED: /, "");
  return colors.red(why === undefined ? result : `${result}: ${why}`);
}
