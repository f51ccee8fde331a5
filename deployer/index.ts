import type { Config } from "../plan/config/schema";
import type { Deployer } from "../plan/found/deployer";
import { readRepositories } from "./git";
import { testsFor } from "./tests";

/**
 * What the checklist asks of the machine that deploys.
 *
 * @param root the project's folder
 * @param runTests false in a preview: it only says what is known of them
 */
export function askDeployer(
  root: string,
  { services, checks, rollbackTo }: Config,
  runTests: boolean,
): Deployer {
  const sources = Object.values(services).flatMap(({ source }) => (source === undefined ? [] : [source]));
  const repositories = readRepositories(root, sources);
  const { command, minutes, level } = checks.tests;
  return {
    now: new Date(),
    repositories,
    tests:
      // Going back deploys nothing of the source, and is in a hurry.
      command === undefined || level === "off" || rollbackTo !== undefined
        ? undefined
        : testsFor(root, command, minutes, repositories, runTests),
  };
}
