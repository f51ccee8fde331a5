import { lookup } from "node:dns/promises";
import type { Command } from "commander";
import { localEngineProblem } from "../../deployer/localEngine";
import { askHost, HostUnreachable } from "../../host/askFacts";
import { partsOfAddress } from "../../plan/config/address";
import { stackLines } from "../../plan/release/wire";
import { diagnose, type Finding, type Here, hostNames, sitePorts } from "../doctor";
import { exitOf, renderOutcomes } from "../outcomes";
import { pulumi, type Selection } from "../pulumi";
import { openStack, type OpenStack } from "../stack";

export function addDoctor(ops: Command): void {
  ops
    .command("doctor")
    .description(
      "whether host and machine have all that a deploy needs: exit code 0 all, 2 warnings, 1 something is missing",
    )
    .option("--json", "for programs")
    .action(async (options: { json?: boolean }, command: Command) => {
      const findings = await examine(await openStack(command.optsWithGlobals<Selection>()));
      console.log(
        options.json === true
          ? JSON.stringify(findings, null, 2)
          : renderOutcomes("of", findings, ({ what }) => what),
      );
      process.exitCode = exitOf(findings);
    });
}

async function examine({ config, names, connection }: OpenStack): Promise<Finding[]> {
  const { host } = config;
  const lines = [
    ...stackLines(names, host, 0, undefined),
    ...sitePorts(config).map((port) => `port ${port}`),
  ];
  const from = seconds();
  try {
    const answer = await askHost(connection, "doctor", lines);
    return diagnose(answer, await askHere(config, from, seconds()), config, names);
  } catch (error) {
    if (!(error instanceof HostUnreachable)) throw error;
    return [{ what: "ssh", outcome: "stop", words: `${host.address}: ${error.message}` }];
  }
}

async function askHere(config: OpenStack["config"], from: number, to: number): Promise<Here> {
  const host = config.host.address === "local" ? undefined : partsOfAddress(config.host.address).name;
  const asked = host === undefined ? [] : [host, ...hostNames(config)];
  return {
    asked: [from, to],
    node: process.version,
    pulumi: await pulumi(["version"]).then(
      (text) => text.trim(),
      () => undefined,
    ),
    engineProblem: localEngineProblem(),
    addresses: new Map(
      await Promise.all(asked.map(async (name) => [name, await addressesOf(name)] as const)),
    ),
    host,
  };
}

async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true }).catch(() => [])).map(({ address }) => address);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
