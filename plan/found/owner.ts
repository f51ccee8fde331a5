import type { Config } from "../config/schema";
import { fullName, type StackNames, stateFolder } from "../wanted/names";
import type { Facts, Owner } from "./facts";

/**
 * Whose host it is. A state that is not the one which deployed would take what runs for its own, and a new machine
 * behind the same address would be taken for up to date: both are refused, with what to type instead.
 */

/**
 * @param lineage of this state; undefined: it has made nothing yet, so what is there is another's
 * @returns why the host's folder is not this state's to deploy to, and the cure
 */
export function ownerProblem(
  names: StackNames,
  host: Config["host"],
  { owner }: Facts,
  lineage: string | undefined,
): string | undefined {
  if (owner === undefined || owner.lineage === lineage) return undefined;
  const folder = stateFolder(names, host);
  if (owner.stack !== fullName(names)) {
    return `its folder ${folder} belongs to ${owner.stack}, ${deployed(owner)}: set another host.stateDir`;
  }
  return [
    `the stack ${owner.stack} there belongs to another state, ${deployed(owner)}.`,
    `  Deploy with that state: pulumi login <where it is kept>, pulumi stack select ${names.stack}.`,
    "  Or bring it here: docs/failures.md, Moving.",
    "  If it is lost, clear the host: this removes the stack's containers and images, and keeps its data volumes and dumps.",
    `    ${onHost(host, `sh ${folder}/script teardown`)}`,
    "  Then 'pulumi up' brings the site back with its data; until it is done the site is away.",
  ].join("\n");
}

/**
 * @param remembered the machine that this state has deployed to; undefined: none yet
 * @returns why the machine that answers is not the one to deploy to, and the cure
 */
export function machineProblem(
  names: StackNames,
  host: Config["host"],
  { machine, owner }: Facts,
  remembered: string | undefined,
): string | undefined {
  if (machine === undefined || remembered === undefined || machine === remembered) return undefined;
  // Somebody has said on the host itself that this is the machine.
  if (owner?.machine === machine) return undefined;
  const folder = stateFolder(names, host);
  return [
    `this state has deployed ${fullName(names)} to another machine (${remembered}) than the one that answers now (${machine}).`,
    "  If the address is wrong: correct host.address.",
    "  If the old machine is there, and the stack is to move: 'pulumi destroy' takes it down there, whatever the address is",
    "  now, and keeps its data there; then 'pulumi up' deploys to the new one.",
    "  If the old machine is gone: 'pulumi state delete --all' forgets it and touches no machine; then 'pulumi up'.",
    "  How the data comes along: docs/failures.md, Moving.",
    ...(owner === undefined
      ? []
      : [
          "  If it is the same server, restored or with a new machine-id, its containers and all:",
          `    ${onHost(host, `sed -i 's/^machine .*/machine ${machine}/' ${folder}/owner`)}`,
        ]),
  ].join("\n");
}

function deployed({ by, since }: Owner): string {
  return `deployed first by ${by}, ${since}`;
}

/** A command for the host's shell, as one types it here. */
function onHost({ address }: Config["host"], command: string): string {
  return address === "local" ? command : `ssh ${address} "${command}"`;
}
