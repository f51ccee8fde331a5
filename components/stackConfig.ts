import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../plan/config/errors";
import { readConfig } from "../plan/config/read";
import type { Config } from "../plan/config/schema";
import { ContextError } from "../plan/wanted/context/problem";
import type { StackNames } from "../plan/wanted/names";

/** Project and stack stand in the names of images, and Docker takes no others there. */
const IMAGE_NAME_PART = /^[a-z0-9]+([._-][a-z0-9]+)*$/;

/**
 * The stack's own part of the config, checked as a whole, before any resource.
 *
 * @param root the project's folder
 */
export function loadConfig(root: string): { config: Config; names: StackNames } {
  const names = { project: pulumi.getProject(), stack: pulumi.getStack() };
  for (const [what, name] of Object.entries(names)) {
    if (IMAGE_NAME_PART.test(name)) continue;
    throw new pulumi.RunError(
      `the ${what} is called ${name}; its name stands in the names of images: ` +
        "use a-z and 0-9, with single . _ or - between them",
    );
  }
  return {
    config: withoutTrace(() => readConfig(rawConfig(), (path) => readFileSync(join(root, path), "utf8"))),
    names,
  };
}

/** Key (without the namespace) -> value. Holds secrets in plain. */
export function rawConfig(): Record<string, string> {
  const prefix = `${pulumi.getProject()}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** A user's mistake is told in words: Pulumi shows a RunError without a stack trace. */
export function withoutTrace<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError || error instanceof ContextError)
      throw new pulumi.RunError(error.message);
    throw error;
  }
}
