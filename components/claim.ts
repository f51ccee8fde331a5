import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { deployer } from "../deployer/name";
import { hostCommand, hostScript } from "../host/bundle";
import { connectionTo } from "../host/connection";
import type { Config } from "../plan/config/schema";
import type { Facts } from "../plan/found/facts";
import { machineProblem, ownerProblem } from "../plan/found/owner";
import { stackLines } from "../plan/release/wire";
import type { StackNames } from "../plan/wanted/names";
import { ifKnown } from "./known";

/** This state's right to deploy to its host: kept there under the state's lineage, and here as the machine's name. */
export interface Claim {
  readonly lineage: string | undefined;
  /** As it was when it was claimed. */
  readonly machine: pulumi.Output<string>;
  /** Everything on the host comes after it. */
  readonly resource: pulumi.Resource;
}

/**
 * The name of this state, made once: whoever shares the state shares it. Undefined: a preview of a state that is new.
 * Asked of the state while the host is asked for the facts.
 */
export function lineageOfState(): Promise<string | undefined> {
  return ifKnown(new random.RandomUuid("lineage").result);
}

/** @throws RunError when the host's folder belongs to another state */
export function expectOwnHost(
  { host }: Config,
  names: StackNames,
  facts: Facts,
  lineage: string | undefined,
): void {
  refuse(host, ownerProblem(names, host, facts, lineage));
}

/**
 * Claims the host, in the first `up` of a state; later ones remember which machine that was.
 *
 * @throws RunError when another machine answers now
 */
export async function claimHost(
  { host }: Config,
  names: StackNames,
  facts: Facts,
  lineage: string | undefined,
): Promise<Claim> {
  const lines = [...stackLines(names, host, host.lockWait, lineage), `by ${deployer()}`];
  const resource = new command.local.Command(
    "claim",
    {
      interpreter: [...connectionTo(host).interpreter],
      create: hostCommand("claim"),
      stdin: hostScript("claim", lines),
      triggers: [lineage],
      addPreviousOutputInEnv: false,
    },
    { ignoreChanges: ["create", "stdin", "interpreter"] },
  );
  const machine = resource.stdout.apply((text) => /^machine (.*)$/m.exec(text)?.[1] ?? "");
  // Where the host itself says that it is the one, what the state remembers is not waited for.
  if (machineProblem(names, host, facts, "another") !== undefined)
    refuse(host, machineProblem(names, host, facts, await ifKnown(machine)));
  return { lineage, machine, resource };
}

function refuse({ address }: Config["host"], problem: string | undefined): void {
  if (problem !== undefined) throw new pulumi.RunError(`${address}: ${problem}\nNothing was changed.`);
}
