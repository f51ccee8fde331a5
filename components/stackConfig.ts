import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../plan/config/errors";
import { readConfig } from "../plan/config/read";
import type { Config } from "../plan/config/schema";
import type { StackNames } from "../plan/container";
import { ContextError } from "../plan/context";

/** The stack's own part of the config, checked as a whole, before any resource. */
export function loadConfig(): { config: Config; names: StackNames } {
  const names = { project: pulumi.getProject(), stack: pulumi.getStack() };
  const prefix = `${names.project}:`;
  const raw = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]): [string, string] => [key.slice(prefix.length), value]);
  return { config: withoutTrace(() => readConfig(Object.fromEntries(raw))), names };
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
