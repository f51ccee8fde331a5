import type { Command } from "commander";
import type { Facts } from "../../plan/found/facts";
import { serves } from "../../plan/wanted/container";
import { colors } from "../colors";
import { EXIT } from "../exit";
import type { Selection } from "../pulumi";
import { factsOf, openStack } from "../stack";
import { table } from "../table";

export function addStatus(ops: Command): void {
  ops
    .command("status")
    .description("what serves: exit code 0 when all of it runs, 2 when not")
    .option("--json", "for programs")
    .action(async (options: { json?: boolean }, command: Command) => {
      const stack = await openStack(command.optsWithGlobals<Selection>());
      const facts = await factsOf(stack);
      const status = describeStatus(facts);
      const { project, stack: name } = stack.names;
      if (options.json === true) console.log(JSON.stringify({ project, stack: name, ...status }, null, 2));
      else console.log(renderStatus(`${project}/${name} on ${stack.config.host.address}`, status));
      process.exitCode = status.whole ? EXIT.done : EXIT.differs;
    });
}

export interface Status {
  readonly release: string | undefined;
  /** As ops releases lists it; 0: made by an older program. */
  readonly number: number | undefined;
  /** Everything that the last release recorded runs, and no run was cut short. */
  readonly whole: boolean;
  /** Who is deploying just now. */
  readonly active: string | undefined;
  readonly interrupted: boolean;
  readonly services: readonly {
    readonly service: string;
    readonly version: string;
    /** As the engine says it; "missing" when there is no such container. */
    readonly state: string;
    readonly image: string;
    /** MiB. */
    readonly memoryLimit: number;
  }[];
  /** MiB. */
  readonly memory: { readonly used: number; readonly total: number } | undefined;
}

export function describeStatus({ current, containers, active, interrupted, memory }: Facts): Status {
  const services = (current?.objects ?? [])
    .filter(({ role }) => serves(role))
    .map(({ service, key, id }) => ({
      service,
      version: key,
      state: containers.find((one) => one.id === id)?.state ?? "missing",
      image: current?.record.containers[service]?.image ?? "",
      memoryLimit: current?.record.containers[service]?.memory ?? 0,
    }));
  const mib = (kib: number) => Math.floor(kib / 1024);
  // The journal of a run that is under way lies open as well.
  const cutShort = interrupted && active === undefined;
  return {
    release: current?.release,
    number: current?.number,
    whole: current !== undefined && !cutShort && services.every(({ state }) => state === "running"),
    active,
    interrupted: cutShort,
    services,
    memory: memory && { used: mib(memory.used), total: mib(memory.total) },
  };
}

export function renderStatus(title: string, status: Status): string {
  const { release, number = 0, active, interrupted, services, memory } = status;
  if (release === undefined) return `${title}: nothing serves yet`;
  const rows = services.map(({ service, version, state, memoryLimit, image }) => {
    const paint = state === "running" ? colors.green : colors.red;
    return [service, version, paint(state), memoryLimit, image];
  });
  return [
    `${title}: release ${number === 0 ? release : `${number} (${release})`}`,
    "",
    table(["service", "version", "state", "limit, MiB", "image"], rows, [
      "left",
      "left",
      "left",
      "right",
      "left",
    ]),
    "",
    ...(memory === undefined ? [] : [`host: ${memory.used} of ${memory.total} MiB in use`]),
    ...(active === undefined ? [] : [`at work just now: ${active}`]),
    ...(interrupted ? ["an earlier release was interrupted: pulumi up takes it back or tidies it"] : []),
    ...(status.whole || active !== undefined ? [] : ["not all of it runs: pulumi up puts it right"]),
  ].join("\n");
}
