import type { Box } from "../../test/e2e/lib/box";
import { run } from "../../test/e2e/lib/command";
import { Crm } from "../../test/e2e/lib/crm";
import { composeFile } from "./composeFile";
import type { Contender } from "./contender";
import { Remote } from "./remote";

/** docker compose, through one ssh connection that stays open, as its users are advised to. */
export async function compose(box: Box): Promise<Contender> {
  const program = await composeOnPath();
  const remote = await Remote.open(box, composeFile(box.webPort));
  const ask = (...args: string[]) => remote.run([...program, "-p", "bench", ...args]);
  const version = (await ask("version", "--short")).trim();
  const deploy = () => ask("up", "-d", "--build", "--wait", "--wait-timeout", "60").then(() => true, refused);
  return {
    ...remote.editing,
    name: `docker compose ${version}`,
    box,
    crm: new Crm(box.webPort),
    deploy,
    back: async () => {
      await remote.editing.revert();
      return deploy();
    },
    remove: async () => {
      await ask("down", "--volumes", "--timeout", "5");
      await remote.close();
    },
  };
}

/** @throws what was thrown, unless it says that something did not get healthy */
function refused(error: unknown): false {
  if (!/unhealthy|exited|timeout|dependency failed/.test(String(error))) throw error;
  return false;
}

/** @throws Error when there is neither `docker compose` nor `docker-compose`, or one before version 2 */
export async function composeOnPath(): Promise<string[]> {
  for (const program of [["docker", "compose"], ["docker-compose"]]) {
    const [first = "", ...rest] = program;
    const version = await run(first, [...rest, "version", "--short"]).catch(() => "");
    if (/^v?([2-9]|\d\d)\./.test(version)) return program;
  }
  throw new Error("no docker compose of version 2 or later on PATH (Debian's package is docker-compose)");
}
