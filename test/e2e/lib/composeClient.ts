import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Example } from "./example";

/**
 * There is no compose where Debian's is too old for it, so its answers were kept (2.40.3, config --format json).
 *
 * @returns a PATH on which `docker compose config` gives this one
 */
export async function composeThatAnswers({ workspace, pulumi }: Example, answer: string): Promise<string> {
  const bin = join(workspace.folder, "bin");
  const file = join(bin, "answer.json");
  const docker = join(bin, "docker");
  await mkdir(bin);
  await writeFile(file, answer);
  await writeFile(docker, `#!/bin/sh\n[ "$1" = compose ] || exit 127\n[ "$2" = version ] || cat '${file}'\n`);
  await chmod(docker, 0o755);
  return `${bin}:${pulumi.env.PATH ?? ""}`;
}
