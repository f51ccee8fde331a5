import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { parseDocument } from "yaml";
import { ConfigError } from "../../plan/config/errors";
import { configTree, readValues } from "../../plan/config/read";
import type { StackNames } from "../../plan/wanted/names";
import { agreed } from "../ask";
import { type Imported, importCompose } from "../compose/import";
import { type ComposeProject, composeProject } from "../compose/model";
import { OpsError } from "../errors";
import { makeIdentityKey } from "../identityKey";
import { PROJECT, pulumi, type Selection, selectionFlags } from "../pulumi";
import { namesOf, rawConfig } from "../stack";
import { table } from "../table";

interface Options extends Selection {
  readonly profile: readonly string[];
  readonly yes?: boolean;
}

export function addImportCompose(ops: Command): void {
  ops
    .command("import")
    .description("the config of a stack from what there is")
    .command("compose")
    .argument("<files...>", "compose.yaml, and what is laid over it")
    .description("turns a docker-compose file into the stack's config; what has no equivalent is listed")
    .option("--profile <names...>", "with the services of these profiles", [])
    .option("-y, --yes", "do not ask")
    .action(async (files: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const project = askCompose(files, options.profile);
      const names = await namesOf(options);
      const raw = await rawConfig(names, options);
      const there = configTree(raw).values;
      if (Object.keys(there.services ?? {}).length > 0)
        throw new OpsError(
          "this stack has services already, and they would be overwritten: begin a new one (pulumi stack init NAME)",
        );
      const imported = importCompose(project, realpathSync(PROJECT), textOf);
      tell(imported);
      if (options.yes !== true && !(await agreed("Write this to the stack's config?")))
        throw new OpsError("Nothing was changed.");
      await write(imported, there, names, options);
      console.log("written to the stack's config; see what it does with: pulumi preview");
    });
}

/** Interpolation, env files, extends and profiles are compose's own work. @throws OpsError */
function askCompose(files: readonly string[], profiles: readonly string[]): ComposeProject {
  const args = [
    ...files.flatMap((file) => ["-f", file]),
    ...profiles.flatMap((name) => ["--profile", name]),
    ...["config", "--format", "json"],
  ];
  for (const [program, words] of [
    ["docker", ["compose"]],
    ["docker-compose", []],
  ] as const) {
    if (spawnSync(program, [...words, "version"], { stdio: "ignore" }).status !== 0) continue;
    const { status, stdout, stderr } = spawnSync(program, [...words, ...args], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new OpsError(`docker compose cannot read it: ${stderr.trim()}`);
    try {
      return composeProject.parse(JSON.parse(stdout));
    } catch {
      throw new OpsError("docker compose gave an answer that is not understood: version 2 is needed");
    }
  }
  throw new OpsError(
    "docker compose is not on this machine, and only it reads its files: install docker-compose-plugin (Debian: docker-compose 2)",
  );
}

function textOf(path: string): string | undefined {
  try {
    return statSync(path).size < 1024 * 1024 ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Names of secrets, never their values. */
function tell({ values, secrets, notes }: Imported): void {
  const services = Object.keys(values.services as object);
  console.log(
    `${services.length} services: ${services.join(", ")}${values.database === undefined ? "" : "; and PostgreSQL"}`,
  );
  if (secrets.length > 0)
    console.log(`secrets: ${secrets.map(({ service, name }) => `${service}.${name}`).join(", ")}`);
  if (notes.length === 0) return;
  console.log("\nWhat you should know:");
  console.log(
    table(
      ["of", "what"],
      notes.map(({ about, text }) => [about === "" ? "all" : about, text]),
    ),
  );
}

async function write(
  { values, secrets }: Imported,
  there: Readonly<Record<string, unknown>>,
  names: StackNames,
  selection: Selection,
): Promise<void> {
  const host = there.host === undefined ? { host: { address: "local" } } : {};
  checkWhole({ ...host, ...values }, secrets);
  const { project, stack } = names;
  const path = resolve(PROJECT, selection.configFile ?? `Pulumi.${stack}.yaml`);
  const document = parseDocument(existsSync(path) ? readFileSync(path, "utf8") : "config: {}\n");
  for (const [key, value] of Object.entries({ ...host, ...values }))
    document.setIn(["config", `${project}:${key}`], document.createNode(value));
  writeFileSync(path, document.toString({ lineWidth: 0 }));
  const flags = selectionFlags(selection);
  const set = (key: string, value: string) =>
    pulumi(["config", "set", "--secret", "--raw", "--path", `${project}:${key}`, ...flags], value);
  if (secrets.length > 0 && there.identityKey === undefined) await makeIdentityKey(names, selection);
  for (const { service, name, value } of secrets) await set(`services.${service}.secrets.${name}`, value);
}

/** What is still missing is told now, and does not stand in the way: a person fills it in. */
function checkWhole(values: Readonly<Record<string, unknown>>, secrets: Imported["secrets"]): void {
  try {
    readValues({
      host: { address: "local" },
      ...values,
      ...(secrets.length === 0 ? {} : { identityKey: "0".repeat(64) }),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.log(`\nTo be filled in before the first preview:\n${error.message}`);
  }
}
