import { type Command, InvalidArgumentError } from "commander";
import { lastGood, obstacles, servingEntry } from "../../plan/ledger";
import type { Facts } from "../../plan/facts";
import { needTerminal } from "../ask";
import { OpsError } from "../errors";
import { pulumi, type Selection, selectionFlags } from "../pulumi";
import { factsOf, openStack, type OpenStack } from "../stack";
import { deploy, DeployInterrupted } from "./deploy";

interface Options extends Selection {
  readonly yes?: boolean;
  readonly off?: boolean;
}

export function addRollback(ops: Command): void {
  ops
    .command("rollback")
    .argument("[release]", "its number (ops releases); else the last good one", releaseNumber)
    .description("goes back to an earlier release: shows what changes, asks, does it")
    .option("--off", "goes on from the config as it is, after a rollback")
    .option("-y, --yes", "do not ask")
    .action(async (release: number | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      if (options.off === true && release !== undefined)
        throw new OpsError("give a release or --off, not both");
      if (options.yes !== true) needTerminal();
      const stack = await openStack(options);
      const before = stack.config.rollbackTo;
      if (options.off === true) {
        if (before === undefined)
          throw new OpsError("the stack is pinned to no release: there is nothing to take back");
        await deployPinned(stack, options, undefined, before);
        console.log("the stack goes by its config again; rollbackTo is gone from it: commit that");
        return;
      }
      const to = release ?? lastGoodOf(factsOf(stack));
      if (release !== undefined) expectReady(release, factsOf(stack));
      await deployPinned(stack, options, to, before);
      console.log(
        `release ${to} serves again, and the config says so (rollbackTo: ${to}): commit that. ` +
          "'ops rollback --off' goes on from the config as it is",
      );
    });
}

function releaseNumber(text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be the number of a release, as ops releases lists it");
}

function lastGoodOf(facts: Facts): number {
  const found = lastGood(facts);
  if (found === undefined)
    throw new OpsError("no earlier release is ready to go back to: ops releases says why");
  return found.number;
}

/** Said before the config is touched; the program would say the same. */
function expectReady(number: number, facts: Facts): void {
  const entry = facts.ledger.find((one) => one.number === number);
  if (entry === undefined)
    throw new OpsError(`there is no release ${number} on record: ops releases lists them`);
  if (servingEntry(facts)?.number === number) throw new OpsError(`release ${number} is what serves`);
  const reasons = obstacles(entry, facts);
  if (reasons.length > 0)
    throw new OpsError(`release ${number} cannot be gone back to: ${reasons.join("; ")}`);
}

/**
 * Deploys with another pin. If that is declined or fails, what served before serves, so the config says that again; a run
 * that was interrupted may yet succeed on the host, so then the pin stays as it was asked for.
 */
async function deployPinned(
  stack: OpenStack,
  options: Options,
  to: number | undefined,
  before: number | undefined,
): Promise<void> {
  await pin(options, to);
  try {
    await deploy(stack.names, options);
  } catch (error) {
    if (error instanceof DeployInterrupted) {
      const says = to === undefined ? "no rollbackTo any more" : `rollbackTo: ${to}`;
      throw new OpsError(
        `${error.message}; the config says ${says}, and the host may have gone on: see ops releases`,
      );
    }
    if (!serves(stack, to)) await pin(options, before);
    throw error;
  }
}

/** A rollback whose last check fails has been recorded on the host all the same. */
function serves(stack: OpenStack, to: number | undefined): boolean {
  try {
    return to !== undefined && servingEntry(factsOf(stack))?.to === to;
  } catch {
    return false;
  }
}

async function pin(options: Options, to: number | undefined): Promise<void> {
  const words = to === undefined ? ["rm", "rollbackTo"] : ["set", "rollbackTo", String(to)];
  await pulumi(["config", ...words, ...selectionFlags(options)]);
}
