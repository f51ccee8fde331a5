import { type Command, InvalidArgumentError } from "commander";
import { lastGood, obstacles, servingEntry, type Today } from "../../plan/found/ledger";
import type { Facts } from "../../plan/found/facts";
import { needTerminal } from "../ask";
import { OpsError } from "../errors";
import { EXIT } from "../exit";
import { pulumi, type Selection, selectionFlags } from "../pulumi";
import { onEnding } from "../signals";
import { factsOf, openStack, type OpenStack } from "../stack";
import { deploy, UpFailed } from "./deploy";

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
        throw new OpsError("give a release or --off, not both", EXIT.usage);
      if (options.yes !== true) needTerminal();
      const stack = await openStack(options);
      const before = stack.config.rollbackTo;
      if (options.off === true) {
        if (before === undefined)
          throw new OpsError("the stack is pinned to no release: there is nothing to take back");
        await deployPinned(stack, options, undefined, { pin: before, facts: await factsOf(stack) });
        console.log("the stack goes by its config again; rollbackTo is gone from it: commit that");
        return;
      }
      const facts = await factsOf(stack);
      const to = release ?? lastGoodOf(facts, stack.config);
      if (release !== undefined) expectReady(release, facts, stack.config);
      await deployPinned(stack, options, to, { pin: before, facts });
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

function lastGoodOf(facts: Facts, today: Today): number {
  const found = lastGood(facts, today);
  if (found === undefined)
    throw new OpsError("no earlier release is ready to go back to: ops releases says why");
  return found.number;
}

/** Said before the config is touched; the program would say the same. */
function expectReady(number: number, facts: Facts, today: Today): void {
  const entry = facts.ledger.find((one) => one.number === number);
  if (entry === undefined)
    throw new OpsError(`there is no release ${number} on record: ops releases lists them`);
  if (servingEntry(facts)?.number === number) throw new OpsError(`release ${number} is what serves`);
  const reasons = obstacles(entry, facts, today);
  if (reasons.length > 0)
    throw new OpsError(`release ${number} cannot be gone back to: ${reasons.join("; ")}`);
}

/** What the config said and the host told, before either was touched. */
interface Before {
  readonly pin: number | undefined;
  readonly facts: Facts;
}

/**
 * Deploys with another pin. The config says again what it said before only where that is what serves, and will: `up` did
 * not begin, or the host tells that nothing came of it. Else the pin stays as it was asked for, because a run that broke
 * off may yet succeed on the host, and the next `pulumi up` would undo that.
 */
async function deployPinned(
  stack: OpenStack,
  options: Options,
  to: number | undefined,
  before: Before,
): Promise<void> {
  const stop = new AbortController();
  const free = onEnding((signal) => {
    stop.abort(new OpsError(`ended by ${signal}; nothing was deployed`));
  });
  try {
    await pin(options, to);
    await deploy(stack.names, options, stop.signal).catch(async (error: unknown) => {
      if (!(error instanceof UpFailed) || (!error.interrupted && (await nothingCame(stack, before.facts))))
        throw await restored(options, before.pin, error);
      const says = to === undefined ? "no rollbackTo any more" : wordsOf(to);
      throw new OpsError(
        `${error.message}; the config says ${says}, and the host may have gone on: see ops releases`,
      );
    });
  } finally {
    free();
  }
}

/** Whether the host is known to serve what it did before, with nobody at work, and nothing left open, that may change it. */
async function nothingCame(stack: OpenStack, before: Facts): Promise<boolean> {
  try {
    const { active, interrupted, current } = await factsOf(stack);
    return active === undefined && !interrupted && current?.number === before.current?.number;
  } catch {
    return false;
  }
}

/** Puts the pin back. @returns the error that made it necessary, which then also tells what the config says */
async function restored(options: Options, before: number | undefined, error: unknown): Promise<unknown> {
  const says = await pin(options, before).then(
    () => `the config says again what it said before: ${wordsOf(before)}`,
    (problem: unknown) => {
      const reason = problem instanceof Error ? problem.message : String(problem);
      return `the config could not be put back (${reason}); type: pulumi ${pinWords(options, before).join(" ")}`;
    },
  );
  if (error instanceof OpsError) return new OpsError(`${error.message}\n${says}`, error.exitCode);
  console.error(says);
  return error;
}

function wordsOf(pinned: number | undefined): string {
  return pinned === undefined ? "no rollbackTo" : `rollbackTo: ${pinned}`;
}

async function pin(options: Options, to: number | undefined): Promise<void> {
  await pulumi(pinWords(options, to));
}

function pinWords(options: Options, to: number | undefined): string[] {
  const words = to === undefined ? ["rm", "rollbackTo"] : ["set", "rollbackTo", String(to)];
  return ["config", ...words, ...selectionFlags(options)];
}
