import type { Box } from "../../test/e2e/lib/box";
import { run } from "../../test/e2e/lib/command";
import { Crm } from "../../test/e2e/lib/crm";
import { composeOnPath } from "./compose";
import { composeFile } from "./composeFile";
import type { Contender } from "./contender";
import { Remote } from "./remote";
import type { Service } from "./sources";

/**
 * docker-rollout (github.com/wowu/docker-rollout), where it is on PATH: compose, with a second container of a service
 * beside the first until it is healthy. Who calls it names the services.
 */
export async function rollout(box: Box): Promise<Contender> {
  const program = await composeOnPath();
  const remote = await Remote.open(box, composeFile(box.webPort));
  const version = await rolloutOnPath();
  let last: readonly Service[] = [];
  let first = true;
  const roll = async (services: readonly Service[]) => {
    last = services;
    await remote.run([...program, "build", ...services]);
    for (const service of services) {
      const healthy = await remote
        .run(["docker-rollout", "rollout", "--timeout", "15", service])
        .then(() => true, notHealthy);
      if (!healthy) return false;
    }
    return true;
  };
  return {
    ...remote.editing,
    name: `docker-rollout ${version ?? ""}`,
    box,
    crm: new Crm(box.webPort),
    // What did not get healthy was never rolled out: there is nothing to take back.
    lacks: ["nothing changed", "that taken back"],
    deploy: async () => {
      if (!first) return roll(remote.takeTouched());
      first = false;
      await remote.run([...program, "up", "-d", "--build", "--wait", "--wait-timeout", "60"]);
      return true;
    },
    back: async () => {
      await remote.editing.revert();
      return roll(last);
    },
    remove: async () => {
      await remote.run([...program, "down", "--volumes", "--timeout", "5"]);
      await remote.close();
    },
  };
}

/** @returns its version; undefined where it is not on PATH */
export async function rolloutOnPath(): Promise<string | undefined> {
  const metadata = await run("docker-rollout", ["docker-cli-plugin-metadata"]).catch(() => undefined);
  return /"Version": *"([^"]+)"/.exec(metadata ?? "")?.[1];
}

/** @throws what was thrown, unless it says that the new container did not get healthy */
function notHealthy(error: unknown): false {
  if (!String(error).includes("not healthy")) throw error;
  return false;
}
