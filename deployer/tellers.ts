import type { Notify } from "../plan/config/notify";
import type { Event } from "../plan/words/event";
import { toHtml } from "../plan/words/html";
import { describeEvent } from "../plan/words/message";
import { sendTelegram } from "./telegram";

/** Tells of a deploy's end. Never throws; gives a warning when it could not. */
export type Teller = (event: Event) => Promise<string | undefined>;

/** All who are told. Another way to tell is another line. */
export function tellersOf({ language, telegram }: Notify): Teller[] {
  const byTelegram: Teller[] =
    telegram === undefined ? [] : [(event) => sendTelegram(telegram, toHtml(describeEvent(event, language)))];
  return [...byTelegram];
}

/**
 * Side by side, so that none waits for another's timeout.
 *
 * @returns the warnings, a line each
 */
export async function tellAll(tellers: readonly Teller[], event: Event): Promise<string[]> {
  const problems = await Promise.all(tellers.map((tell) => tell(event).catch(ownFault)));
  return problems.filter((problem) => problem !== undefined).map((problem) => `nobody was told: ${problem}`);
}

/** Whatever is wrong in a teller itself: the deploy does not depend on it. Its words might hold anything. */
function ownFault(error: unknown): string {
  return `${error instanceof Error ? error.name : "an error"} in this program`;
}
