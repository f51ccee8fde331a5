/** A fault on order, so that a test can see what a deploy does about it. */
export type Fault = { name: "none" | "unhealthy" | "crash" | "page" } | { name: "slow"; seconds: number };

export interface Config {
  port: number;
  fault: Fault;
}

/**
 * Reads PORT (3001 if unset) and CRM_FAULT.
 * @throws Error that says what would be right.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const port = Number(env.PORT ?? 3001);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Error(`PORT: must be 1-65535, is ${JSON.stringify(env.PORT)}`);
  }
  return { port, fault: parseFault(env.CRM_FAULT ?? "") };
}

function parseFault(text: string): Fault {
  switch (text) {
    case "":
      return { name: "none" };
    case "unhealthy":
    case "crash":
    case "page":
      return { name: text };
  }
  const seconds = Number(/^slow=(\d+(?:\.\d+)?)$/.exec(text)?.[1] ?? NaN);
  if (seconds <= 3600) return { name: "slow", seconds };
  throw new Error(
    `CRM_FAULT: must be one of unhealthy, crash, page, slow=SECONDS (SECONDS 0-3600), is ${JSON.stringify(text)}`,
  );
}
