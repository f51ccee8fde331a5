import type { ContextManifest } from "./manifest";

/** Why an image was built again: what is kept of a context with a release, and what changed since. */

/** A short digest (12 hex digits) for each path: enough to compare, little to keep. */
export type ManifestSummary = Readonly<Record<string, string>>;

export interface ChangedPaths {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export function summarize({ entries, dockerfile, ignoreFile }: ContextManifest): ManifestSummary {
  // Where the Dockerfile and the ignore file are part of the context too, they are there as entries.
  const buildFiles = [dockerfile, ...(ignoreFile === undefined ? [] : [ignoreFile])];
  const all = new Map([...buildFiles, ...entries].map(({ path, digest }) => [path, digest.slice(0, 12)]));
  return Object.fromEntries(all);
}

/** Each list is sorted. */
export function changedPaths(before: ManifestSummary, after: ManifestSummary): ChangedPaths {
  const had = new Map(Object.entries(before));
  const has = new Map(Object.entries(after));
  return {
    added: [...has.keys()].filter((path) => !had.has(path)).sort(),
    removed: [...had.keys()].filter((path) => !has.has(path)).sort(),
    changed: [...has.keys()].filter((path) => had.has(path) && had.get(path) !== has.get(path)).sort(),
  };
}

/** One line for a person: `src/App.tsx changed (+2 more)`, `first build`, `no file changed`. */
export function describeChange(before: ManifestSummary | undefined, after: ManifestSummary): string {
  if (before === undefined) return "first build";
  const { added, removed, changed } = changedPaths(before, after);
  const lines = [
    ...changed.map((path) => `${path} changed`),
    ...withoutParents(added).map((path) => `${path} added`),
    ...withoutParents(removed).map((path) => `${path} removed`),
  ];
  const [first, ...more] = lines;
  if (first === undefined) return "no file changed";
  return more.length === 0 ? first : `${first} (+${more.length} more)`;
}

/** A directory that came or went with what is in it is not worth a mention. */
function withoutParents(paths: readonly string[]): string[] {
  const parents = new Set(paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf("/")))));
  return paths.filter((path) => !parents.has(path));
}
