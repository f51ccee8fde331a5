import type { Command } from "commander";
import type { Drift, DriftKind } from "../../plan/found/drift";
import type { Facts } from "../../plan/found/facts";
import type { Plan } from "../../plan/release/plan";
import { EXIT } from "../exit";
import { planOf } from "../planning";
import type { Selection } from "../pulumi";
import { factsOf, openStack } from "../stack";
import { table } from "../table";

export function addDrift(ops: Command): void {
  ops
    .command("drift")
    .description("what pulumi up would put right on the host: exit code 0 nothing, 2 something")
    .option("--json", "for programs")
    .action(async (options: { json?: boolean }, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const facts = await factsOf(stack);
      const report = describeDrift(planOf(stack, facts).plan, facts);
      const { project, stack: name } = stack.names;
      if (options.json === true) console.log(JSON.stringify({ project, stack: name, ...report }, null, 2));
      else console.log(renderDrift(`${project}/${name} on ${stack.config.host.address}`, report));
      process.exitCode = report.drift.length === 0 ? EXIT.done : EXIT.differs;
    });
}

export interface DriftReport {
  readonly release: string | undefined;
  /** Who is deploying just now: what differs meanwhile is that one's doing, and is not told. */
  readonly active: string | undefined;
  readonly drift: readonly (Omit<Drift, "kind"> & { readonly kind: DriftKind | "nothing" })[];
  /** Whether config or sources are not what serves. That is a change, and no drift. */
  readonly changed: boolean;
}

export function describeDrift({ release, drift }: Plan, { active, current }: Facts): DriftReport {
  const found = current === undefined ? [NOTHING_SERVES, ...drift] : drift;
  return {
    release: current?.release,
    active,
    drift: active === undefined ? found : [],
    changed: current?.release !== release,
  };
}

/** Whoever asks regularly does so because something should serve: its absence is never silent. */
const NOTHING_SERVES = {
  service: undefined,
  kind: "nothing",
  what: "no release is recorded there",
  cure: "a first release",
} as const;

export function renderDrift(title: string, { release, active, drift, changed }: DriftReport): string {
  if (active !== undefined) return `${title}: at work just now: ${active}`;
  const rows = drift.map(({ service, what, cure }) => [service ?? "the host", what, cure]);
  const serves = release === undefined ? "nothing serves" : `release ${release}`;
  return [
    `${title}: ${serves}${drift.length === 0 ? ", all is as it left it" : ""}`,
    ...(drift.length === 0 ? [] : ["", table(["where", "found", "pulumi up"], rows)]),
    ...(changed && release !== undefined
      ? ["", "config or sources differ from what serves: no drift, but pulumi up releases that too"]
      : []),
  ].join("\n");
}
