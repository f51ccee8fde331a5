import { setTimeout as sleep } from "node:timers/promises";

/** How the real provider waits for networks and volumes, in milliseconds. */
const delay = 2_000;
const interval = 5_000;
const limit = 30_000;

/** The pause before the real provider first looks at a network or volume that it has made or will remove. */
export async function settle(signal: AbortSignal): Promise<void> {
  await sleep(delay, undefined, { signal });
}

/**
 * Tries to remove something after the usual pause, and again every 5 s while it is still in use. Throws after
 * 30 s, in the words of the real provider. `attempt` says what state it is in.
 */
export async function waitUntilRemoved(attempt: () => Promise<string>, signal: AbortSignal): Promise<void> {
  const end = performance.now() + limit;
  await settle(signal);
  for (;;) {
    const state = await attempt();
    if (state === "removed") return;
    const left = end - performance.now();
    await sleep(Math.min(interval, left), undefined, { signal });
    if (left > interval) continue;
    throw new Error(
      `timeout while waiting for state to become 'removed' (last state: '${state}', timeout: ${limit / 1000}s)`,
    );
  }
}
