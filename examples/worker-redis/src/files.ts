import { join } from "node:path";

/** A volume that the web front and the worker share. */
const folder = process.env.FILES ?? "files";

export function uploadOf(id: string): string {
  return join(folder, id);
}

export function packedOf(id: string): string {
  return join(folder, `${id}.br`);
}
