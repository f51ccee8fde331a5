import { readFile } from "node:fs/promises";
import { z } from "zod";

/** What happened to one resource in a run. */
export interface ResourceChange {
  readonly op: string;
  /** The last part of its type, such as Container. */
  readonly type: string;
  readonly name: string;
}

const metadata = z.object({ op: z.string(), urn: z.string(), type: z.string() });
const event = z.object({
  resourcePreEvent: z.object({ metadata }).optional(),
  diagnosticEvent: z.object({ message: z.string(), severity: z.string() }).optional(),
});

/** Reads the engine's own event log (`--event-log`): a JSON object a line; a killed run's last line may be cut. */
export async function readEvents(file: string): Promise<ResourceChange[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const events = text
    .split("\n")
    .slice(0, -1)
    .map((line) => event.parse(JSON.parse(line)));
  return events.flatMap(({ resourcePreEvent }) => {
    if (resourcePreEvent === undefined) return [];
    const { op, urn, type } = resourcePreEvent.metadata;
    if (type === "pulumi:pulumi:Stack") return [];
    return [{ op, type: type.split(":").at(-1) ?? "", name: urn.split("::").at(-1) ?? "" }];
  });
}

/** All that was not left as it is, as `create Container frontend-1a2b`, sorted. */
export function changesOf(resources: readonly ResourceChange[]): string[] {
  return resources
    .filter(({ op }) => op !== "same" && op !== "read")
    .map(({ op, type, name }) => `${op} ${type} ${name}`)
    .sort();
}
