import type { MigrationKind } from "../config/schema";
import type { Drift } from "../found/drift";
import type { Facts } from "../found/facts";
import type { ReleaseRecord } from "../found/record";
import type { NamedContainer } from "../wanted/container";
import type { Scheduled } from "../wanted/jobs";
import type { Order } from "./memory";

/**
 * A release as data: which verbs the runner does, in which order. A pure function of what is wanted (config), what
 * the host told (facts) and nothing else; preview prints it, host/run/run.sh does it.
 */
export interface Plan {
  readonly release: string;
  /** What served when the plan was made, "none 0" for nothing: the runner refuses a plan that was made from another. */
  readonly base: string;
  /** Grows whenever the host is not as wanted: the release command runs when it changes. */
  readonly epoch: number;
  readonly steps: readonly Step[];
  readonly texts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** MiB that must be free on the host when a container is started, by its key; none where the host told nothing. */
  readonly needs: Readonly<Record<string, number>>;
  /** MiB left by all limits at the moment when the most runs, migrations too; undefined: the host told nothing. */
  readonly spare: number | undefined;
  readonly changes: readonly Change[];
  /** What is on the host otherwise than the last release left it: this one puts it right. */
  readonly drift: readonly Drift[];
  /** The migrations that run, by key. */
  readonly migrations: Readonly<Record<string, MigrationKind>>;
  /** What cron runs from here on. */
  readonly jobs: readonly Scheduled[];
  readonly kind: "deploy" | "repair" | "rollback";
  /** The images that stay on the host; of the stack's own builds all others go. */
  readonly retained: readonly string[];
  /** Those of the containers, by their full names, with how often each was made. */
  readonly volumes: readonly { name: string; generation: number }[];
  /** Those of services that no release has used before: an empty one is given to its service's user. */
  readonly freshVolumes: readonly string[];
  readonly record: ReleaseRecord;
  /** Why it cannot be done as configured, each with a cure. */
  readonly refusals: readonly string[];
}

export interface Step {
  readonly verb: string;
  readonly arguments: readonly string[];
}

/** What happens to one container. */
export interface Change {
  readonly service: string;
  readonly kind: "same" | "new" | "repair" | "replace" | "remove";
  readonly order?: Order;
  /** MiB left if it starts beside the old version, when the most runs; as far as the host told. */
  readonly headroom?: number;
  readonly memory: number;
}

/** A container that is wanted, and what a release must know besides its description. */
export interface Wanted {
  readonly container: NamedContainer;
  readonly migration: NamedContainer | undefined;
  /** Part of a release's name, also of one that is gone back to and runs it no more. */
  readonly migrationKey: string | undefined;
  readonly migrationKind: MigrationKind;
  readonly order: "auto" | Order;
  /** The volumes that only one container may write to. */
  readonly exclusive: readonly string[];
  readonly needs: readonly string[];
}

/** Whether there is nothing to do: what is wanted serves already, undisturbed. */
export function isSettled({ release, epoch }: Plan, { current }: Facts): boolean {
  return current?.release === release && current.epoch === epoch;
}
