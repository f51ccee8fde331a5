import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb";
import { vi } from "vitest";
import type { Deployer } from "../../../plan/found/deployer";
import type { Facts } from "../../../plan/found/facts";
import { asPulumi, type Values } from "../../plan/support/config";

/** Runs index.ts as a whole, with an engine that writes down what it is asked for. */

export interface Registered {
  readonly name: string;
  readonly type: string;
  readonly urn: string;
  readonly parent: string;
  /** The URN of its provider; empty: the default one. */
  readonly provider: string;
  /** As they are sent: a secret in its envelope. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly retainOnDelete: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly replacementTrigger: unknown;
}

export interface Situation {
  readonly config: Values;
  readonly facts: Facts | Error;
  readonly preview?: boolean;
  readonly stack?: string;
  /** What the deployer's machine tells besides that all is committed and pushed. */
  readonly deployer?: Partial<Deployer>;
  /** Whether the state has a lineage and a claim already; an update makes them, a preview does not. */
  readonly fresh?: boolean;
  /** Whom the images that this run brings say they run as; else root. */
  readonly users?: Readonly<Record<string, string>>;
  /** Why this machine cannot build; undefined: it can. */
  readonly noEngine?: string;
}

const TIDY: Deployer = {
  now: new Date("2026-11-20T12:00:00Z"),
  repositories: [{ path: ".", commit: "0123456789abcdef", changed: 0, pushed: true }],
  tests: undefined,
};

export interface Ran {
  readonly resources: readonly Registered[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly messages: readonly string[];
  /** What the host was asked with. */
  readonly asked: readonly string[];
  readonly waited: number | undefined;
}

export const PROJECT = "artsvao";
/** What the random provider makes. */
export const PASSWORD = "made-by-the-random-provider";
export const LINEAGE = "11111111-1111-4111-8111-111111111111";
/** The one that the state has deployed to. */
export const MACHINE = "0123456789ab";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const isSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && SIGNATURE in value;

/** What a command is given on stdin, a secret or not. */
export function scriptOf({ inputs: { stdin } }: Registered): string {
  return String(isSecret(stdin) ? (stdin as { value: unknown }).value : stdin);
}

/** What a program that must not go on is stopped with. */
export async function failure(
  situation: Situation,
): Promise<{ error: Error; resources: readonly Registered[] }> {
  const resources: Registered[] = [];
  try {
    await run(situation, resources);
  } catch (error) {
    if (error instanceof Error) return { error, resources };
    throw error;
  }
  throw new Error("the program went on");
}

export async function run(situation: Situation, resources: Registered[] = []): Promise<Ran> {
  const { config, facts, preview = false, stack = "test", fresh = false, noEngine } = situation;
  const messages: string[] = [];
  const asked: { payload: readonly string[]; wait: number }[] = [];
  vi.resetModules();
  vi.doMock("../../../host/askFacts", () => {
    class HostUnreachable extends Error {}
    const askFacts = (_: unknown, payload: readonly string[], wait: number): Promise<Facts> => {
      asked.push({ payload, wait });
      return facts instanceof Error
        ? Promise.reject(new HostUnreachable(facts.message))
        : Promise.resolve(facts);
    };
    return { HostUnreachable, askFacts };
  });
  vi.doMock("../../../deployer", () => ({ askDeployer: () => ({ ...TIDY, ...situation.deployer }) }));
  vi.doMock("../../../host/askImage", () => ({
    askImageUser: (_: unknown, reference: string) => Promise.resolve(situation.users?.[reference] ?? ""),
  }));
  // It would tell the host.
  vi.doMock("../../../components/failures", () => ({
    whenProgramFails: (program: () => unknown) => program(),
    whenResourceFails: () => undefined,
  }));
  // Traces are the whole process's.
  vi.doMock("../../../components/trace", () => ({ makeTracesPrintable: () => undefined }));
  vi.doMock("../../../deployer/localEngine", () => ({
    localEngineProblem: () => noEngine,
    contextProblem: () => undefined,
  }));
  vi.doMock("../../../host/sampleMemory", () => ({ MemorySampler: FakeSampler }));
  const written = (message: string): Promise<void> => {
    messages.push(message);
    return Promise.resolve();
  };
  const spies = [vi.spyOn(pulumi.log, "info"), vi.spyOn(pulumi.log, "warn")];
  for (const spy of spies) spy.mockImplementation(written);

  await pulumi.runtime.setMocks(
    {
      newResource: (args) =>
        fresh && preview ? { id: undefined, state: args.inputs as object } : answer(args),
      call: () => ({}),
    },
    PROJECT,
    stack,
    preview,
  );
  listen(resources);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(asPulumi(config)).map(([key, value]) => [`${PROJECT}:${key}`, value])),
  );
  try {
    const { default: program } = (await import("../../../index")) as unknown as { default: Program };
    const outputs = await promiseOf(pulumi.output(await program()));
    return { resources, outputs, messages, asked: asked[0]?.payload ?? [], waited: asked[0]?.wait };
  } finally {
    // Whatever it has asked for is answered, also when it has failed.
    await pulumi.runtime.disconnect();
    for (const spy of spies) spy.mockRestore();
    for (const module of [
      "host/askFacts",
      "host/askImage",
      "components/failures",
      "components/trace",
      "deployer/localEngine",
      "host/sampleMemory",
      "deployer",
    ])
      vi.doUnmock(`../../../${module}`);
  }
}

/** A host whose builds take 111 MiB, then 222, and so on. */
export class FakeSampler {
  static running = 0;
  private taken = 0;
  constructor() {
    FakeSampler.running += 1;
  }
  take(): number {
    this.taken += 111;
    return this.taken;
  }
  stop(): void {
    FakeSampler.running -= 1;
  }
}

type Program = () => Promise<Record<string, unknown>>;

/** With what is unknown in a preview as it is: `apply` would never come back. */
function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise: (withUnknowns: boolean) => Promise<T> }).promise(true);
}

/** What the providers add to what they are given. */
function answer({ type, name, inputs }: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
  const state = inputs as Record<string, unknown>;
  switch (type) {
    case "docker:index/network:Network":
      return { id: `${name}-id`, state: { ...state, name: `${name}-0123456` } };
    case "random:index/randomPassword:RandomPassword":
      return { id: "none", state: { ...state, result: pulumi.secret(PASSWORD) } };
    case "random:index/randomUuid:RandomUuid":
      return { id: LINEAGE, state: { ...state, result: LINEAGE } };
    case "command:local:Command":
      return {
        id: `${name}-id`,
        state: { ...state, stdout: name === "claim" ? `machine ${MACHINE}` : "done" },
      };
    default:
      return { id: `${name}-id`, state };
  }
}

type Answered = (error: unknown, response?: RegisterResourceResponse) => void;
interface Monitor {
  registerResource: (request: RegisterResourceRequest, answered: Answered) => unknown;
}

/** The mocks see inputs only; options and envelopes of secrets are in the requests. */
function listen(resources: Registered[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, answered) =>
    register(request, (error, response) => {
      const urn = response?.getUrn() ?? "";
      // As the engine says it.
      const twice = resources.some((one) => one.urn === urn)
        ? new Error(`Duplicate resource URN '${urn}'`)
        : error;
      resources.push({ urn, ...whatIsAsked(request) });
      answered(twice, response);
    });
}

function whatIsAsked(request: RegisterResourceRequest): Omit<Registered, "urn"> {
  return {
    name: request.getName(),
    type: request.getType(),
    parent: request.getParent(),
    // Without its ID.
    provider: request.getProvider().replace(/::[^:]*$/, ""),
    inputs: request.getObject()?.toJavaScript() ?? {},
    dependencies: request.getDependenciesList(),
    ignoreChanges: request.getIgnorechangesList(),
    retainOnDelete: request.getRetainondelete() ?? false,
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
  };
}
