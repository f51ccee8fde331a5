import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PackageDependency } from "@pulumi/pulumi/proto/plugin_pb";

interface Manifest {
  version?: string;
  pulumi?: { resource?: boolean; name?: string; version?: string };
}

/**
 * The plugins that the program's packages speak to, with their versions: each package of the `@pulumi` scope
 * names its own in its package.json. The nearest folder of a name wins, as Node resolves it.
 */
export function requiredPackages(programDirectory: string): PackageDependency[] {
  const found = new Map<string, PackageDependency>();
  for (const scope of scopes(programDirectory)) {
    for (const folder of readdirSync(scope)) {
      const path = join(scope, folder, "package.json");
      if (!existsSync(path)) continue;
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
      const name = manifest.pulumi?.name ?? folder;
      if (manifest.pulumi?.resource !== true || found.has(name)) continue;
      const version = manifest.pulumi.version ?? manifest.version ?? "";
      found.set(name, new PackageDependency().setName(name).setKind("resource").setVersion(`v${version}`));
    }
  }
  return [...found.values()];
}

function scopes(directory: string): string[] {
  const here = join(directory, "node_modules", "@pulumi");
  const parent = dirname(directory);
  return [...(existsSync(here) ? [here] : []), ...(parent === directory ? [] : scopes(parent))];
}
