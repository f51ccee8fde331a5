import { createHash } from "node:crypto";

/**
 * The identity of a build context: what reaches the builder, and of that only what makes another image.
 * Times, owners, extended attributes, and all mode bits but the owner's x are left out, as Git leaves them out:
 * they depend on who checked out where.
 */

export interface ContextEntry {
  /**
   * Relative to the context, with `/`. A backslash is written `\\` and a byte that is not UTF-8 `\xff`,
   * so that no two names are written alike.
   */
  readonly path: string;
  readonly kind: "file" | "link" | "directory";
  /** sha256, hex: of a file its content and whether it is executable, of a link its target. */
  readonly digest: string;
}

/** A file that the builder reads whether it is ignored or not. `path` is relative to the context. */
export interface BuildFile {
  readonly path: string;
  /** sha256 of the content, hex. */
  readonly digest: string;
}

export interface ContextManifest {
  /** Sorted by the bytes of their paths. */
  readonly entries: readonly ContextEntry[];
  readonly dockerfile: BuildFile;
  readonly ignoreFile: BuildFile | undefined;
  /** What would be sent but cannot be part of an image, with the reason. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * sha256, hex, of all that is in the manifest, the Dockerfile and the ignore file included (the Pulumi provider
 * sends both even if ignored), but not their names.
 */
export function contextDigest(manifest: ContextManifest): string {
  const hash = createHash("sha256");
  hash.update(`${JSON.stringify([manifest.dockerfile.digest, manifest.ignoreFile?.digest ?? null])}\n`);
  const lines = manifest.entries.map(({ path, kind, digest }) => `${JSON.stringify([path, kind, digest])}\n`);
  for (const line of lines.sort()) hash.update(line);
  return hash.digest("hex");
}
