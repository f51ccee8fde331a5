/** How a run is ended from outside: Ctrl-C, kill, a terminal window that is closed. */
export const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * From here on none of them ends this process at once.
 *
 * @param heard may come more than once
 * @returns what makes them end it again
 */
export function onEnding(heard: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of ENDING) process.on(signal, heard);
  return () => {
    for (const signal of ENDING) process.off(signal, heard);
  };
}
