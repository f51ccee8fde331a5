import { deployer } from "../deployer/name";
import { tellAll, tellersOf } from "../deployer/tellers";
import { tokenParts } from "../deployer/telegram";
import { type Notify } from "../plan/config/notify";
import { readNotify } from "../plan/config/read";
import type { StackNames } from "../plan/wanted/names";
import { reasonOf } from "../plan/words/reason";
import type { Selection } from "./pulumi";
import { rawConfig } from "./stack";

/**
 * Tells of a deploy that failed before the program ran, as far as the config can be read: that is where it says whom.
 * Never throws; whoever cannot be told is a warning.
 *
 * @param problem in words
 */
export async function tellFailure(names: StackNames, selection: Selection, problem: string): Promise<void> {
  const notify = await notifyOf(names, selection);
  if (notify === undefined) {
    console.error("warning: nobody was told: the config says whom, and cannot be read");
    return;
  }
  const token = notify.telegram?.token;
  const warnings = await tellAll(tellersOf(notify), {
    kind: "failure",
    ...names,
    by: deployer(),
    seconds: process.uptime(),
    reason: reasonOf(problem, token === undefined ? [] : tokenParts(token)),
  });
  for (const warning of warnings) console.error(`warning: ${warning}`);
}

async function notifyOf(names: StackNames, selection: Selection): Promise<Notify | undefined> {
  try {
    return readNotify(await rawConfig(names, selection));
  } catch {
    return undefined;
  }
}
