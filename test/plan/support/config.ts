import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ConfigError } from "../../../plan/config/errors";
import { readConfig } from "../../../plan/config/read";
import type { Config } from "../../../plan/config/schema";

/** Configs for tests, written as a person writes them and handed over as Pulumi does. */

export interface Values {
  readonly [key: string]: unknown;
}

/** One service on this machine: the least that is accepted. */
export const LEAST: Values = {
  host: { address: "local" },
  domain: "crm.example.org",
  // The sums of memory in the tests are made with this.
  proxy: { memory: 48 },
  services: { worker: { image: "worker:1.0", memory: 64 } },
};

/** As `pulumi.runtime.allConfig()` has it: texts bare, all else as JSON. */
export function asPulumi(values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

export const read = (values: Values): Config => readConfig(asPulumi(values));

/** What is wrong with a config, a line each; nothing when it is accepted. */
export function problemsOf(values: Values): readonly string[] {
  try {
    read(values);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** A copy with another value at a path such as `services.backend.env.LEVEL`; undefined leaves it out. */
export function change(values: Values, path: string, value: unknown): Values {
  const [key = "", ...rest] = path.split(".");
  const inner = (values[key] ?? {}) as Values;
  const changed = rest.length === 0 ? value : change(inner, rest.join("."), value);
  const entries = Object.entries(values).filter(([one]) => one !== key || changed !== undefined);
  const all = Object.fromEntries(entries.map(([one, old]) => [one, one === key ? changed : old]));
  const whole = changed === undefined || Object.hasOwn(all, key) ? all : { ...all, [key]: changed };
  return Array.isArray(values) ? (Object.values(whole) as unknown as Values) : whole;
}

/** The program's own part of a stack file of this repository. */
export function stackFile(name: string): Record<string, unknown> {
  const root = join(__dirname, "../../..");
  const { config } = parse(readFileSync(join(root, name), "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith("artsvao:"))
      .map(([key, value]) => [key.slice("artsvao:".length), value]),
  );
}

/** Pulumi.prod.yaml as its owner would complete it. */
export function completedProd(sources: { backend: string; frontend: string }): Values {
  const answers: [path: string, value: string][] = [
    ["host.hostKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfkNOcBVNfRdFd0OWh0Ygd6xHYKh3hRbUoHTk4qXx9e"],
    ["tls.folder", "/etc/letsencrypt"],
    ["services.backend.source", sources.backend],
    ["services.frontend.source", sources.frontend],
  ];
  return answers.reduce<Values>(
    (values, [path, value]) => change(values, path, value),
    stackFile("Pulumi.prod.yaml"),
  );
}
