import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { z } from "zod";
import { suggestion } from "../../plan/config/errors";
import { configTree } from "../../plan/config/read";
import type { StackNames } from "../../plan/wanted/names";
import { agreed } from "../ask";
import { describeEnvImport, type EnvImport, type Existing, planEnvImport } from "../envFile";
import { OpsError } from "../errors";
import { makeIdentityKey } from "../identityKey";
import { pulumi, type Selection, selectionFlags } from "../pulumi";
import { namesOf, rawConfig } from "../stack";

interface Options extends Selection {
  readonly service?: string;
  readonly plain: readonly string[];
  readonly keep: readonly string[];
  readonly remove?: boolean;
  readonly yes?: boolean;
}

/** The config need not be whole yet: an import is often what makes it so. */
const draft = z.record(
  z.string(),
  z
    .object({
      env: z.record(z.string(), z.coerce.string()).default({}),
      secrets: z.record(z.string(), z.coerce.string()).default({}),
    })
    .catch({ env: {}, secrets: {} }),
);

export function addEnvImport(ops: Command): void {
  ops
    .command("env")
    .description("the environment of a service")
    .command("import")
    .argument("<file>", "such as .env.production")
    .description(
      "takes a file of NAME=value lines into the stack's config: secret unless --plain, no value is shown",
    )
    .option("--service <name>", "whose environment it is (needed when there are several services)")
    .option("--plain <names...>", "these are no secrets", [])
    .option("--keep <names...>", "import these although the stack gives them itself", [])
    .option("--remove", "take out of the config what the file does not have")
    .option("-y, --yes", "do not ask")
    .action(async (file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const text = readText(file);
      const names = await namesOf(options);
      const raw = await rawConfig(names, options);
      const services = draft.parse(configTree(raw).values.services ?? {});
      const service = chooseService(Object.keys(services), options.service);
      const existing: Existing = services[service] ?? { env: {}, secrets: {} };
      const plan = planEnvImport(text, existing, new Set(options.plain), new Set(options.keep));
      console.log(describeEnvImport(service, plan, options.remove === true));
      const removed = options.remove === true ? plan.missing : [];
      if (plan.writes.length + removed.length === 0) {
        console.log("nothing to do");
        return;
      }
      if (options.yes !== true && !(await agreed("Write this to the stack's config?")))
        throw new OpsError("Nothing was changed.");
      await write({
        names,
        selection: options,
        service,
        plan,
        removed,
        existing,
        hasKey: "identityKey" in raw,
      });
      console.log("written to the stack's config; 'pulumi preview' shows which services that releases");
    });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new OpsError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function chooseService(known: readonly string[], asked: string | undefined): string {
  const [only, ...others] = known;
  if (asked !== undefined) {
    if (known.includes(asked)) return asked;
    throw new OpsError(`--service: there is no service ${JSON.stringify(asked)}${suggestion(asked, known)}`);
  }
  if (only === undefined) throw new OpsError("the stack's config has no services yet: describe them first");
  if (others.length > 0) throw new OpsError(`--service: say which one: ${known.join(", ")}`);
  return only;
}

interface Writing {
  readonly names: StackNames;
  readonly selection: Selection;
  readonly service: string;
  readonly plan: EnvImport;
  readonly removed: readonly string[];
  readonly existing: Existing;
  readonly hasKey: boolean;
}

/** One value after the other, each over stdin. What was written before an error stays, and is shown as unchanged next time. */
async function write({ names, selection, service, plan, removed, existing, hasKey }: Writing): Promise<void> {
  const flags = selectionFlags(selection);
  const key = (group: "env" | "secrets", name: string) =>
    `${names.project}:services.${service}.${group}.${name}`;
  const drop = (group: "env" | "secrets", name: string) =>
    pulumi(["config", "rm", "--path", key(group, name), ...flags]);
  if (!hasKey && plan.writes.some(({ secret }) => secret)) {
    await makeIdentityKey(names, selection);
    console.log("identityKey: made (it keys the fingerprints by which a changed secret is noticed)");
  }
  for (const { name, value, secret } of plan.writes) {
    const other = secret ? "env" : "secrets";
    if (Object.hasOwn(existing[other], name)) await drop(other, name);
    const words = ["config", "set", "--path", key(secret ? "secrets" : "env", name)];
    // A plain value would be taken for a number or for true/false where it looks like one; a secret never is.
    const kind = secret ? ["--secret"] : ["--type", "string"];
    // --raw: a newline at the end belongs to the value.
    await pulumi([...words, ...kind, "--raw", ...flags], value);
  }
  for (const name of removed) await drop(Object.hasOwn(existing.env, name) ? "env" : "secrets", name);
}
