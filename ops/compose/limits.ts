import type { ComposeService } from "./model";
import { mebibytesOf } from "./values";

/** MiB where compose names no limit. */
const MEMORY = 256;

/** MiB; a guess is told. */
export function memoryOf({ deploy, mem_limit }: ComposeService, note: (text: string) => void): number {
  const found = mebibytesOf(deploy?.resources?.limits?.memory ?? mem_limit);
  if (found === undefined) note(`memory: compose names no limit; ${MEMORY} MiB is a guess`);
  return found ?? MEMORY;
}

export function replicasOf({ deploy, scale }: ComposeService): number {
  return deploy?.replicas ?? scale ?? 1;
}
