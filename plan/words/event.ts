import type { Facts } from "../found/facts";
import type { MetInShort } from "../found/met";
import type { ReleaseRecord } from "../found/record";
import type { Plan } from "../release/plan";
import { changedJobs } from "./jobs";
import { changedSettings } from "./explain";

/** How a deploy ended, as data: whoever tells people of it takes this, and finds words of its own (plan/words/message.ts). */
export interface Event {
  readonly kind: "success" | "failure" | "rollback";
  readonly project: string;
  readonly stack: string;
  /** Who deployed: user@machine. */
  readonly by: string;
  /** How long it took. */
  readonly seconds: number;
  /** The release, by its content and by its number; undefined: it has come to none, or has none yet. */
  readonly release?: string | undefined;
  readonly number?: number | undefined;
  /** The number of the release that this one goes back to. */
  readonly backTo?: number | undefined;
  /** What changed, or would have; undefined: there was no plan yet. */
  readonly changes?: readonly Changed[] | undefined;
  /** Service -> version. Unknown: the host could not be asked; undefined: the run did not come as far as asking. */
  readonly serves?: Readonly<Record<string, string>> | "unknown" | undefined;
  /** What visitors met meanwhile; undefined: it was not measured. */
  readonly met?: MetInShort | undefined;
  /** Of a failure: the lines that tell why. */
  readonly reason?: string | undefined;
}

export interface Changed {
  /** Undefined: no container, but what stands around them. */
  readonly service?: string;
  readonly what: "new" | "source" | "settings" | "repair" | "remove" | "jobs" | "site" | "tests";
  /** As the config calls them, such as memory or env.LEVEL. */
  readonly settings: readonly string[];
}

/** What a release changes, a line a service; nothing for what stays as it is. */
export function changesOf(plan: Plan, facts: Facts): Changed[] {
  const { current } = facts;
  const before = current?.record;
  const services = plan.changes.flatMap(({ service, kind }): Changed[] => {
    switch (kind) {
      case "same":
        return [];
      case "replace":
        return [replaced(service, before, plan.record)];
      default:
        return [{ service, what: kind, settings: [] }];
    }
  });
  const jobs = changedJobs(plan, facts);
  if (jobs.length > 0) return [...services, { what: "jobs", settings: jobs }];
  if (services.length > 0 || current === undefined || current.release === plan.release) return services;
  return [{ what: before?.site === plan.record.site ? "tests" : "site", settings: [] }];
}

function replaced(service: string, before: ReleaseRecord | undefined, after: ReleaseRecord): Changed {
  const [older, newer] = [before?.containers[service], after.containers[service]];
  if (newer?.build !== undefined && newer.build.hash !== older?.build?.hash)
    return { service, what: "source", settings: [] };
  const settings = older === undefined || newer === undefined ? [] : changedSettings(older, newer);
  return { service, what: "settings", settings };
}

/** The version of each service: a built one is named by its content, another one by its image. */
export function servesOf(record: ReleaseRecord | undefined): Record<string, string> {
  const containers = Object.entries(record?.containers ?? {}).filter(([service]) => service !== "proxy");
  return Object.fromEntries(
    containers.map(([service, { key, image, build }]) => [service, build === undefined ? image : key]),
  );
}
