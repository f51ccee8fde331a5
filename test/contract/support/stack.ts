import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LocalWorkspace,
  type ConfigMap,
  type EngineEvent,
  type PulumiFn,
  type Stack as PulumiStack,
} from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";

const storedResource = z.object({
  urn: z.string(),
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
const checkpoint = z.object({
  checkpoint: z.object({ latest: z.object({ resources: z.array(storedResource).optional() }) }),
});

/** A resource as the state has it. */
export type StoredResource = z.infer<typeof storedResource>;

/** The severities that a person sees; the events have debugging lines too. */
const shown = new Set<string>(["info", "info#err", "warning", "error"]);

/** One run of the engine: what it did to which resource, and what it said. */
export class Run {
  /** The engine's own error text; undefined when the run succeeded. */
  error: string | undefined;
  private readonly events: EngineEvent[] = [];

  record(event: EngineEvent): void {
    this.events.push(event);
  }

  /**
   * What was done, as `<operation> <logical name>`, in the order in which it was begun: `create web`, `same net`.
   * Without the stack itself and its providers.
   */
  get steps(): string[] {
    return this.events
      .flatMap(({ resourcePreEvent }) => (resourcePreEvent ? [resourcePreEvent.metadata] : []))
      .filter(({ type }) => !type.startsWith("pulumi:"))
      .map(({ op, urn }) => `${op} ${urn.split("::").at(-1) ?? ""}`);
  }

  /** The lines that were shown beside a resource while something was done to it. */
  progressOf(name: string): string[] {
    return this.events.flatMap(({ diagnosticEvent: line }) =>
      line?.ephemeral === true && line.urn?.endsWith(`::${name}`) === true ? [line.message.trim()] : [],
    );
  }

  /** Everything that the run said and kept: errors, warnings and reports. */
  get diagnostics(): string {
    return this.events
      .flatMap(({ diagnosticEvent: line }) => (line ? [line] : []))
      .filter(({ ephemeral, severity }) => ephemeral !== true && shown.has(severity))
      .map(({ message }) => message)
      .join("\n");
  }

  /** How many resources were changed in which way, less those that stayed the same. */
  get changes(): Record<string, number> {
    const counted = this.events.flatMap(({ summaryEvent }) =>
      summaryEvent ? [summaryEvent.resourceChanges] : [],
    );
    return Object.fromEntries(Object.entries(counted.at(-1) ?? {}).filter(([op]) => op !== "same"));
  }

  /** Whether it went well and nothing at all was done. */
  get unchanged(): boolean {
    return this.error === undefined && Object.keys(this.changes).length === 0;
  }
}

/** A stack of its own, with a state of its own in a folder that goes with it. Programs are given run by run. */
export class Stack {
  private outputs: Readonly<Record<string, { value: unknown }>> = {};

  private constructor(
    private readonly stack: PulumiStack,
    private readonly project: string,
    readonly folder: string,
  ) {}

  static async create(name: string, config: ConfigMap = {}): Promise<Stack> {
    const project = `contract-${name}`;
    const folder = mkdtempSync(join(tmpdir(), `${project}-`));
    const state = join(folder, "state");
    mkdirSync(state);
    const stack = await LocalWorkspace.createStack(
      { stackName: "test", projectName: project, program: () => Promise.resolve() },
      {
        workDir: folder,
        envVars: {
          PULUMI_BACKEND_URL: `file://${state}`,
          PULUMI_CONFIG_PASSPHRASE: "contract",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
    await stack.setAllConfig(config);
    return new Stack(stack, project, folder);
  }

  up(program: () => unknown): Promise<Run> {
    return this.run(async (onEvent) => {
      this.outputs = (await this.stack.up({ program: inline(program), onEvent })).outputs;
    });
  }

  preview(program: () => unknown): Promise<Run> {
    return this.run((onEvent) => this.stack.preview({ program: inline(program), onEvent }));
  }

  refresh(): Promise<Run> {
    return this.run((onEvent) => this.stack.refresh({ onEvent }));
  }

  destroy(): Promise<Run> {
    return this.run((onEvent) => this.stack.destroy({ onEvent }));
  }

  /** The value of an output of the last `up` that succeeded, secret or not. */
  output(name: string): unknown {
    return this.outputs[name]?.value;
  }

  /** The resource of this logical name, as it is stored: secrets are ciphertext. undefined: not in the state. */
  stored(name: string): StoredResource | undefined {
    const { resources = [] } = checkpoint.parse(JSON.parse(this.storedText())).checkpoint.latest;
    return resources.find(({ urn }) => urn.endsWith(`::${name}`));
  }

  /** The state as text, as it lies in the backend. */
  storedText(): string {
    return readFileSync(join(this.folder, "state", ".pulumi", "stacks", this.project, "test.json"), "utf8");
  }

  /** Removes the state's folder; what the stack made must be gone by then. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(work: (onEvent: (event: EngineEvent) => void) => Promise<unknown>): Promise<Run> {
    const run = new Run();
    try {
      await work((event) => {
        run.record(event);
      });
    } catch (error) {
      run.error = error instanceof Error ? error.message : String(error);
    }
    return run;
  }
}

/** A program given as a function: what it returns are the stack's outputs. */
function inline(program: () => unknown): PulumiFn {
  return () => Promise.resolve(program() as Record<string, unknown> | undefined);
}
