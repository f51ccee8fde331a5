import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import type { Site } from "./site";

export interface OpsOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `ops` as a person types it in the site's project, a minute at most unless it may take longer. */
export async function ops(
  site: Pick<Site, "workspace" | "pulumi">,
  args: readonly string[],
  input = "",
  seconds = 60,
  more: NodeJS.ProcessEnv = {},
): Promise<OpsOutcome> {
  const { folder, stack } = site.workspace;
  const child = spawn("node", [join(folder, "ops", "bin.mjs"), "--stack", stack, ...args], {
    cwd: folder,
    env: { ...site.pulumi.env, ...more },
    timeout: seconds * 1000,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(input);
  const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, "close"));
  return { code, stdout, stderr };
}
