import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Config } from "../../../plan/config/schema";
import { parseFacts } from "../../../plan/found/answer";
import { type Facts, NO_FACTS } from "../../../plan/found/facts";
import type { Current } from "../../../plan/found/record";
import type { Plan } from "../../../plan/release/plan";
import { planRelease } from "../../../plan/release/release";
import { type DescribedStack, describeStack } from "../../../plan/release/stack";
import { type CreatedContainer, planLines, type Sender, stackLines } from "../../../plan/release/wire";
import { type Build, readBuild } from "../../../plan/wanted/build";
import { type NamedContainer, serves } from "../../../plan/wanted/container";

/** A stack from config to plan, and hosts as they answer. */

export const NAMES = { project: "shop", stack: "test" } as const;
/** Of the state that deploys. */
export const LINEAGE = "11111111-1111-4111-8111-111111111111";
export const SCRIPT = "export default {};";

/** A folder with files, as a project with sources. */
export function makeProject(files: Readonly<Record<string, string>>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "project-"));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** What the service web of a project is built from. */
export function buildOf(
  root: string,
  { services: { web } }: Config,
  platform = "linux/amd64",
  refresh = "",
): Build {
  if (web?.source === undefined) throw new Error("web is built");
  return readBuild(root, { ...web, source: web.source }, platform, refresh);
}

/** No service in it is built. */
export const NO_PROJECT = os.tmpdir();

export interface Planned {
  readonly config: Config;
  readonly stack: DescribedStack;
  readonly plan: Plan;
}

export function planned(config: Config, facts: Facts = EMPTY_HOST, root: string = NO_PROJECT): Planned {
  const stack = describeStack(root, config, NAMES, facts);
  return { config, stack, plan: planRelease(config, stack, facts, SCRIPT) };
}

/** Every container that a stack wants, migrations included. */
export function containersOf({ wanted, beside }: DescribedStack): NamedContainer[] {
  const serving = wanted.flatMap(({ migration, container }) => [
    ...(migration ? [migration] : []),
    container,
  ]);
  return [...serving, ...beside];
}

/** As Pulumi creates them: each with an ID of its own. */
export function created(stack: DescribedStack, suffix = "1"): CreatedContainer[] {
  return containersOf(stack).map(({ key, spec }) => ({ key, spec, id: `${key}.${suffix}`, generation: 0 }));
}

export const SENDER: Sender = { by: "someone@somewhere", repositories: [] };

/** What goes to the runner. */
export function payload({ config, stack, plan }: Planned, suffix?: string): string[] {
  return [
    ...stackLines(NAMES, config.host, config.host.lockWait, LINEAGE),
    ...planLines(plan, config, created(stack, suffix), [], SENDER),
  ];
}

/** A machine with Docker and nothing of ours on it. */
export const EMPTY_HOST: Facts = { ...NO_FACTS, known: true, platform: "linux/amd64" };

/** 4 GiB, 300 MiB of it used by others. */
export const ROOMY = { total: 4096 * 1024, used: 300 * 1024, ours: 0 };

/** A host on which a release has been done, as host/facts.sh tells of it. */
export function hostAfter(done: Planned, memory = ROOMY): Facts {
  return parseFacts(factsAfter(done, memory).join("\n"));
}

export function factsAfter(done: Planned, memory = ROOMY): string[] {
  const lines = payload(done);
  const current = lines.filter((line) => /^(release|epoch|object|job|record) /.test(line));
  return [
    "engine linux/amd64 20.10.24",
    `memory ${memory.total} ${memory.used}`,
    `ours ${memory.ours}`,
    ...created(done.stack).map(
      ({ key, id, spec }) =>
        `container ${id} ${key} ${spec.role} ${serves(spec.role) ? "running" : "exited"}`,
    ),
    ...done.plan.volumes.map(({ name }) => `volume ${name} 0 ${NAMES.project}/${NAMES.stack}`),
    ...lines.filter((line) => line.startsWith("seen ")),
    ...current.map((line) => `current ${line}`),
    "end",
  ];
}

/** Other states of containers of a host; undefined: the container is gone. */
export function withStates(facts: Facts, states: Readonly<Record<string, string | undefined>>): Facts {
  const containers = facts.containers.flatMap((one) => {
    const service = one.key.replace(/-[0-9a-f]{12}$/, "");
    if (!Object.hasOwn(states, service)) return [one];
    const state = states[service];
    return state === undefined ? [] : [{ ...one, state }];
  });
  return { ...facts, containers };
}

/** Each verb with its argument; a container by its service, with ' for the one that is new. */
export function verbs({ plan, stack }: Planned, current?: Current): string[] {
  const wanted = new Map(containersOf(stack).map(({ key, spec }) => [key, nameOf(spec.service, spec.role)]));
  const old = new Map(current?.objects.map(({ key, service, role }) => [key, nameOf(service, role)]));
  return plan.steps.map(({ verb, arguments: [argument = ""] }) => {
    const isNew = wanted.has(argument) && !old.has(argument);
    const name = wanted.get(argument) ?? old.get(argument) ?? plan.labels[argument] ?? argument;
    return `${verb} ${name}${isNew ? "'" : ""}`.trim();
  });
}

function nameOf(service: string, role: string): string {
  return ["migrate", "job"].includes(role) ? `${service}-${role}` : service;
}
