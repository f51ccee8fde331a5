import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Repository } from "../plan/found/deployer";
import { withoutConfig } from "./environment";
import { gitFile } from "./git";

const REMEMBERED = "deploy-tests-passed";

/**
 * Whether the tests are green for what is deployed now. A green run is remembered for its commits, in git's own
 * folder; with uncommitted changes it is good for one time only.
 *
 * @param run false: only say what is known
 * @param minutes that they may take
 */
export function testsFor(
  root: string,
  command: string,
  minutes: number,
  repositories: readonly Repository[],
  run: boolean,
): "green" | "red" | "unknown" {
  const clean = repositories.every(({ commit, changed }) => commit !== undefined && changed === 0);
  const subject = [command, ...repositories.map(({ commit = "" }) => commit)].join("\n");
  const name = createHash("sha256").update(subject).digest("hex");
  const memory = gitFile(root, REMEMBERED);
  if (clean && memory !== undefined && remembered(memory).includes(name)) return "green";
  if (!run) return "unknown";
  // Their output goes to stderr: stdout may be read by a program.
  const { status } = spawnSync("sh", ["-c", command], {
    cwd: root,
    env: withoutConfig(),
    stdio: ["ignore", 2, 2],
    timeout: minutes * 60_000,
  });
  if (status !== 0) return "red";
  if (clean && memory !== undefined) appendFileSync(memory, `${name}\n`);
  return "green";
}

function remembered(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
}
