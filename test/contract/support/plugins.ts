import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";

export interface Plugin {
  name: string;
  version: string;
  /** Where the engine finds it. */
  path: string;
  kind: "real" | "stand-in";
}

const manifest = z.object({ pulumi: z.object({ name: z.string(), version: z.string() }) });

/** The plugin that the engine takes for a package of ours: one on PATH wins over the one of the right version. */
export function pluginOf(sdk: string): Plugin {
  const { name, version } = manifest.parse(createRequire(import.meta.url)(`${sdk}/package.json`)).pulumi;
  const program = `pulumi-resource-${name}`;
  const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const found = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    join(home, "plugins", `resource-${name}-v${version}`),
  ].map((folder) => join(folder, program));
  const path = found.find((file) => existsSync(file));
  if (path === undefined) throw new Error(`no ${program} of version ${version} in ${home} or on PATH`);
  return { name, version, path, kind: existsSync(join(dirname(path), "STAND-IN")) ? "stand-in" : "real" };
}
