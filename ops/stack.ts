import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { askFacts, HostUnreachable } from "../host/askFacts";
import { type Connection, connectionTo } from "../host/connection";
import { ConfigError } from "../plan/config/errors";
import { readConfig } from "../plan/config/read";
import type { Config } from "../plan/config/schema";
import type { Facts } from "../plan/found/facts";
import { factLines } from "../plan/release/wire";
import type { StackNames } from "../plan/wanted/names";
import { OpsError } from "./errors";
import { PROJECT, pulumi, type Selection, selectionFlags } from "./pulumi";

const listed = z.array(z.object({ name: z.string(), current: z.boolean() }));
const configured = z.record(z.string(), z.object({ value: z.string().default("") }));

/** A stack as its config describes it. */
export interface OpenStack {
  readonly names: StackNames;
  readonly config: Config;
  readonly connection: Connection;
}

/** @throws OpsError when there is no such stack, or its config is not whole */
export async function openStack(selection: Selection): Promise<OpenStack> {
  const names = await namesOf(selection);
  try {
    const config = readConfig(await rawConfig(names, selection));
    return { names, config, connection: connectionTo(config.host) };
  } catch (error) {
    if (error instanceof ConfigError) throw new OpsError(error.message);
    throw error;
  }
}

export async function namesOf({ stack }: Selection): Promise<StackNames> {
  const { name: project } = z
    .object({ name: z.string() })
    .parse(parse(readFileSync(join(PROJECT, "Pulumi.yaml"), "utf8")));
  if (stack !== undefined) return { project, stack: shortName(stack) };
  const current = listed
    .parse(JSON.parse(await pulumi(["stack", "ls", "--json"])))
    .find((one) => one.current);
  if (current === undefined) {
    throw new OpsError("no stack is selected: add --stack NAME, or choose one with: pulumi stack select");
  }
  return { project, stack: shortName(current.name) };
}

/** Key (without the namespace) -> value, as Pulumi hands it to a program. Holds secrets in plain. */
export async function rawConfig(
  { project }: StackNames,
  selection: Selection,
): Promise<Record<string, string>> {
  const text = await pulumi(["config", "--json", "--show-secrets", ...selectionFlags(selection)]);
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(configured.parse(JSON.parse(text)))
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value }]) => [key.slice(prefix.length), value]),
  );
}

/**
 * @param more what host/facts.sh is told besides
 * @throws OpsError when the host cannot be reached or asked
 */
export async function factsOf(
  { config, names, connection }: OpenStack,
  more: readonly string[] = [],
): Promise<Facts> {
  try {
    const facts = await askFacts(connection, [...factLines(names, config, 0), ...more], 0);
    if (facts.errors.length > 0) throw new OpsError(`${config.host.address}: ${facts.errors.join("\n")}`);
    return facts;
  } catch (error) {
    if (error instanceof HostUnreachable) throw new OpsError(`${config.host.address}: ${error.message}`);
    throw error;
  }
}

/** organization/project/stack, organization/stack and stack name the same. */
function shortName(stack: string): string {
  return stack.slice(stack.lastIndexOf("/") + 1);
}
