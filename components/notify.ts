import { appendFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { deployer } from "../deployer/name";
import { tokenParts } from "../deployer/telegram";
import { tellAll, tellersOf } from "../deployer/tellers";
import { askFacts } from "../host/askFacts";
import { connectionTo } from "../host/connection";
import { noteOnHost } from "../host/note";
import type { Notify } from "../plan/config/notify";
import { readNotify } from "../plan/config/read";
import type { Config } from "../plan/config/schema";
import type { Facts } from "../plan/found/facts";
import type { MetInShort } from "../plan/found/met";
import { isSettled, type Plan } from "../plan/release/plan";
import { factLines, noteLine, stackLines } from "../plan/release/wire";
import type { StackNames } from "../plan/wanted/names";
import { changesOf, type Event, servesOf } from "../plan/words/event";
import { reasonOf } from "../plan/words/reason";
import type { FailedResource } from "./failures";
import { rawConfig } from "./stackConfig";

/** `ops deploy` learns from this file that the program has told of the failure itself. */
const TOLD = "DEPLOY_TOLD";

/** What there is to tell of, once it is known. */
export interface Subject {
  readonly config: Config;
  readonly names: StackNames;
  readonly facts: Facts;
  readonly plan: Plan;
  /** The release that is gone back to; undefined: this is no rollback. */
  readonly pinned?: number | undefined;
}

/**
 * Tells people how an `up` ended: once, whatever fails after the first failure, and nothing when there was nothing to do.
 * Whoever cannot be told is a warning, never a failure of the deploy.
 */
export class News {
  private readonly notify: Notify = readNotify(rawConfig());
  private subject: Subject | undefined;
  private told = false;
  private failedBefore = false;

  about(subject: Subject): void {
    this.subject = subject;
  }

  /** @returns the release's name, once they have been told */
  succeeded(
    release: pulumi.Output<string>,
    number: pulumi.Output<number | undefined>,
    met: pulumi.Output<MetInShort | undefined>,
  ): pulumi.Output<string> {
    const { subject } = this;
    if (pulumi.runtime.isDryRun() || subject === undefined || isSettled(subject.plan, subject.facts))
      return release;
    const { plan, facts, pinned } = subject;
    return pulumi.all([release, number, met]).apply(async ([name, count, visited]) => {
      await this.tell(() => ({
        number: count,
        kind: pinned === undefined ? "success" : "rollback",
        changes: changesOf(plan, facts),
        serves: servesOf(plan.record),
        met: visited,
      }));
      return name;
    });
  }

  /**
   * @param problem in the words of whoever found it
   * @param resource the one that failed; undefined: there was none yet
   */
  async failed(problem: string, resource?: FailedResource): Promise<void> {
    const marker = process.env[TOLD];
    // A preview is told of only where it is the beginning of a deploy.
    if (pulumi.runtime.isDryRun() && marker === undefined) return;
    if (this.failedBefore) return;
    this.failedBefore = true;
    const reason = reasonOf(problem, this.secrets());
    // The runner has logged what it has begun.
    if (this.subject !== undefined) {
      const { plan, config } = this.subject;
      const checks = Object.keys(config.services).map((service) => `health-${service}`);
      if (!isCommand(resource, [`release-${plan.release}`]))
        note(this.subject, reason, isCommand(resource, checks));
    }
    await this.tell(async () => ({
      kind: "failure",
      ...(this.subject === undefined ? {} : await stateOf(this.subject)),
      reason,
    }));
    if (marker !== undefined) appendFileSync(marker, "told\n");
  }

  private async tell(what: () => Told | Promise<Told>): Promise<void> {
    if (this.told || tellersOf(this.notify).length === 0) return;
    this.told = true;
    try {
      const event: Event = {
        ...(await what()),
        project: pulumi.getProject(),
        stack: pulumi.getStack(),
        by: deployer(),
        seconds: process.uptime(),
        release: this.subject?.plan.release,
        backTo: this.subject?.pinned,
      };
      for (const problem of await tellAll(tellersOf(this.notify), event)) await pulumi.log.warn(problem);
    } catch (error) {
      // Nothing here may decide about a deploy.
      await pulumi.log.warn(
        `nobody was told: ${error instanceof Error ? error.name : "an error"} in this program`,
      );
    }
  }

  private secrets(): string[] {
    const { services = {}, identityKey = "" } = this.subject?.config ?? {};
    const token = this.notify.telegram?.token;
    return [
      ...Object.values(services).flatMap(({ secrets }) => Object.values(secrets)),
      identityKey,
      ...(token === undefined ? [] : tokenParts(token)),
    ];
  }
}

/** What is not the same for every event of a run. */
type Told = Pick<Event, "kind" | "number" | "changes" | "serves" | "reason">;

/** A service may be called anything, and so may its image. */
function isCommand(resource: FailedResource | undefined, names: readonly string[]): boolean {
  return resource?.type === "command:local:Command" && names.includes(resource.name);
}

/** A line in the host's deploy log of what failed before a release began there, or after it had succeeded. */
function note({ config, names }: Subject, reason: string, released: boolean): void {
  const when = released ? "failed after its release" : "failed before it began here";
  const line = `a deploy by ${deployer()} ${when}: ${reason.split("\n")[0] ?? ""}`;
  noteOnHost(connectionTo(config.host), [...stackLines(names, config.host, 0, undefined), noteLine(line)]);
}

/** What was to change, and what serves: asked anew, for a failure may have come before or after the switch. */
async function stateOf({ config, names, facts, plan }: Subject): Promise<Pick<Event, "changes" | "serves">> {
  const changes = changesOf(plan, facts);
  try {
    const now = await askFacts(connectionTo(config.host), factLines(names, config, 0), 0);
    return { changes, serves: servesOf(now.current?.record) };
  } catch {
    return { changes, serves: "unknown" };
  }
}
