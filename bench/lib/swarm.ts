import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Box } from "../../test/e2e/lib/box";
import { pause } from "../../test/e2e/lib/command";
import { Crm } from "../../test/e2e/lib/crm";
import { SITE, swarmFile } from "./composeFile";
import type { Contender } from "./contender";
import { Remote } from "./remote";
import { SERVICES } from "./sources";

/** Milliseconds until a service must have settled. */
const PATIENCE = 90_000;
const UNDER_WAY = /^(updating|rollback_started)/;
const ROLLED_BACK = /^(paused|rollback)/;

/** Docker Swarm of one node: `docker stack deploy` with start-first updates, each image named by what is in it. */
export async function swarm(box: Box): Promise<Contender> {
  // A box that is frozen between its turns must not be given up for lost, with all that runs on it.
  await box.host.sh("docker swarm init --advertise-addr 127.0.0.1 --dispatcher-heartbeat 1h");
  const remote = await Remote.open(box, swarmFile(box.webPort));
  await writeFile(join(remote.folder, "site.conf"), SITE);
  const docker = (...args: string[]) => remote.run(["docker", ...args]);
  const version = (await docker("version", "--format", "{{.Server.Version}}")).trim();
  const build = async (service: string) => {
    const id = (await docker("build", "-q", service)).trim();
    const name = `bench-${service}:${createHash("sha256").update(id).digest("hex").slice(0, 12)}`;
    await docker("tag", id, name);
    return name;
  };
  const deploy = async () => {
    const before = await states(docker);
    const [backend, frontend] = await Promise.all(SERVICES.map(build));
    await remote.run(
      ["docker", "stack", "deploy", "-c", "compose.yaml", "--resolve-image", "never", "bench"],
      { BACKEND: backend, FRONTEND: frontend },
    );
    const after = await settled(docker);
    return !after.some((state) => ROLLED_BACK.test(state) && !before.includes(state));
  };
  return {
    ...remote.editing,
    name: `Swarm ${version}`,
    box,
    crm: new Crm(box.webPort),
    deploy,
    back: async () => {
      await remote.editing.revert();
      await docker("service", "rollback", "--detach=true", "bench_frontend");
      await settled(docker);
      return true;
    },
    remove: async () => {
      await docker("stack", "rm", "bench");
      await remote.close();
    },
  };
}

/** Runs docker with these arguments. */
type Docker = (...args: string[]) => Promise<string>;

/** Each service's last update: its state, and when it began. */
async function states(docker: Docker): Promise<string[]> {
  const names = lines(await docker("service", "ls", "-q"));
  if (names.length === 0) return [];
  const format = "{{with .UpdateStatus}}{{.State}} {{.StartedAt}}{{end}}";
  return lines(await docker("service", "inspect", ...names, "--format", format));
}

/** Waits until every service has the container that it wants, and none is being updated; then as `states`. */
async function settled(docker: Docker): Promise<string[]> {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until) {
    const [replicas, now] = await Promise.all([
      docker("service", "ls", "--format", "{{.Replicas}}").then(lines),
      states(docker),
    ]);
    if (replicas.every((one) => one === "1/1") && !now.some((state) => UNDER_WAY.test(state))) return now;
    await pause(200);
  }
  throw new Error(`Swarm did not settle:\n${await docker("stack", "ps", "--no-trunc", "bench")}`);
}

const lines = (text: string): string[] => text.trim().split("\n").filter(Boolean);
