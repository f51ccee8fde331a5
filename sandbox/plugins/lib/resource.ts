import type { Change } from "./changes";
import type { Failure, Inputs } from "./schema";
import type { ValueMap } from "./values";

/** What every operation gets beside its properties. */
export interface Call {
  urn: string;
  /** The logical name, the last part of the URN. */
  name: string;
  /** Aborted when the engine asks the provider to stop what it does. */
  signal: AbortSignal;
  /** Shows a line of progress beside the resource; it is gone when the operation ends. */
  progress: (line: string) => void;
  /** A line that stays among the diagnostics. */
  report: (severity: "info" | "warning", message: string) => void;
}

export interface Checked {
  inputs: ValueMap;
  failures?: Failure[];
}

export interface State {
  inputs: ValueMap;
  outputs: ValueMap;
}

export interface Diff {
  changes: Change[];
  /** The new one cannot be made while the old one is there. */
  deleteBeforeReplace?: boolean;
}

/** A resource that a stand-in implements: the operations of the provider protocol, without its wire form. */
export interface Resource {
  inputs: Inputs;
  /** Completes inputs that the schema has found to be right. `seed` makes preview and update agree on a name. */
  check?(call: Call, news: ValueMap, olds: ValueMap, seed: Uint8Array): Promise<Checked> | Checked;
  diff(old: State, news: ValueMap): Diff;
  /** Its plugin's Diff does not look at ignoreChanges: what its Check makes anew counts all the same. */
  readonly diffsAll?: true;
  /** The outputs that a preview can tell; what is missing here is unknown there. */
  preview(news: ValueMap, old: State | undefined): ValueMap;
  /** Throws InitFailed when the resource exists all the same. */
  create(call: Call, news: ValueMap): Promise<{ id: string; outputs: ValueMap }>;
  /** undefined: it is gone. Left out: what the state says is believed. */
  read?(call: Call, id: string, old: State): Promise<State | undefined>;
  update(call: Call, id: string, old: State, news: ValueMap): Promise<ValueMap>;
  delete(call: Call, id: string, old: State): Promise<void>;
}

/** A function that a program may call in preview too. */
export type Invoke = (call: Call, args: ValueMap) => Promise<ValueMap>;

/** The resource was created and is kept in the state, but did not become what it should be. */
export class InitFailed extends Error {
  constructor(
    readonly id: string,
    readonly outputs: ValueMap,
    reason: string,
  ) {
    super(reason);
  }
}
