import { readConfig } from "../plan/config/read";
import { factLines } from "../plan/release/wire";
import { askEarly } from "./askFacts";
import { connectionTo } from "./connection";

/**
 * Asks the host before the program begins: Pulumi's SDK takes half a second to load, and the host as long to answer. The
 * program takes this answer only if it would have asked the very same (host/askFacts.ts).
 *
 * @param args of Pulumi's cmd/run, which is given project, stack and whether it is a preview
 * @param env with PULUMI_CONFIG, the stack's config by its full keys
 * @throws Error for whatever is wrong: the program will find the same, and say it as it should be said
 */
export function begin(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const [project, stack] = ["--project", "--stack"].map((name) => args[args.indexOf(name) + 1]);
  if (project === undefined || stack === undefined || env.PULUMI_CONFIG === undefined) return;
  const config = readConfig(ofProject(project, JSON.parse(env.PULUMI_CONFIG) as Record<string, string>));
  const wait = args.includes("--dry-run") ? 0 : config.host.lockWait;
  askEarly(connectionTo(config.host), factLines({ project, stack }, config, wait), wait);
}

/** Key (without the namespace) -> value. Holds secrets in plain. */
function ofProject(project: string, all: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
