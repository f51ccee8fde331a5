import * as fs from "node:fs";
import { join, posix, resolve, sep } from "node:path";
import { type Build, STAGED } from "../plan/wanted/build";
import { readContext } from "../plan/wanted/context/context";
import { contextDigest, type ContextManifest } from "../plan/wanted/context/manifest";
import { entryBytes } from "../plan/wanted/context/names";
import { ContextError } from "../plan/wanted/context/problem";

/**
 * A build context as a folder of its own: what its hash was made of, with the permissions that Git would give it, under
 * a name that is the same for everybody.
 *
 * docker.Image hashes permissions too, and Pulumi cannot make it ignore that (its Diff does not look at ignoreChanges):
 * from the checkout itself, a deployer with another umask would build again what another one has built, in turn for
 * ever, and one who moves the source would be told of a path that is no more. And what is built is what was hashed,
 * whatever is edited meanwhile.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

export interface StagedContext {
  /** Relative to the project, as are all paths that Pulumi is told. */
  readonly context: string;
  readonly dockerfile: string;
}

/**
 * @param root the project's folder
 * @param folder where to, below STAGED: another content has another one
 * @param links whether links that lead out of the context may be in it: docker.Image fails on those
 * @throws ContextError when it cannot be read, or is edited meanwhile
 */
export function stageContext(
  root: string,
  folder: string,
  build: Build,
  links: "inside" | "any",
): StagedContext {
  const inside = isInside(root, build);
  const within = (place: string): StagedContext => ({
    context: `${place}/context`,
    dockerfile: inside
      ? `${place}/context/${posix.relative(build.context, build.dockerfile)}`
      : `${place}/Dockerfile`,
  });
  const staged = posix.join(STAGED, folder);
  if (fs.existsSync(join(root, staged))) {
    const now = new Date();
    fs.utimesSync(join(root, staged), now, now);
    return within(staged);
  }
  removeOld(join(root, posix.dirname(staged)));
  const draft = `${staged}.${process.pid}`;
  fs.rmSync(join(root, draft), { recursive: true, force: true });
  try {
    copyContext(root, build, within(draft), links);
    publish(join(root, draft), join(root, staged));
  } finally {
    fs.rmSync(join(root, draft), { recursive: true, force: true });
  }
  return within(staged);
}

/**
 * Does the Dockerfile lie in the context itself? Through a link on its way it may lie anywhere, and its copy would be
 * written there: beside the context it is safe.
 */
function isInside(root: string, { context, dockerfile }: Build): boolean {
  const inside = posix.relative(context, dockerfile);
  if (inside.startsWith("../")) return false;
  // A folder that is gone meanwhile is told of by who copies it.
  if (!fs.existsSync(join(root, dockerfile))) return true;
  const real = fs.realpathSync(join(root, posix.dirname(dockerfile)));
  return real === join(fs.realpathSync(join(root, context)), posix.dirname(inside));
}

function copyContext(root: string, build: Build, draft: StagedContext, links: "inside" | "any"): void {
  const changed = (cause?: unknown) =>
    new ContextError(build.context, "was changed while it was read", "run it again", { cause });
  const manifest = readContext(join(root, build.context), join(root, build.dockerfile), join(root, STAGED));
  try {
    copyEntries(manifest, join(root, build.context), join(root, draft.context));
    // The builder wants these two even if they are ignored; each may be a link, or lie elsewhere.
    copyFile(join(root, build.dockerfile), join(root, draft.dockerfile));
    if (manifest.ignoreFile !== undefined) {
      const ofContext = manifest.ignoreFile.path === ".dockerignore";
      copyFile(
        join(root, build.context, manifest.ignoreFile.path),
        join(root, ofContext ? `${draft.context}/.dockerignore` : `${draft.dockerfile}.dockerignore`),
      );
    }
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "ENOENT" ? changed(error) : error;
  }
  const copied = readContext(join(root, draft.context), join(root, draft.dockerfile));
  if (contextDigest(copied) !== build.contextDigest) throw changed();
  if (links === "inside") refuseOutsideLinks(build.context, copied, join(root, draft.context));
}

function copyEntries(manifest: ContextManifest, from: string, to: string): void {
  makeFolder(to);
  for (const { path, kind } of manifest.entries) {
    const name = entryBytes(path);
    const source = below(from, name);
    const copy = below(to, name);
    if (kind === "directory") makeFolder(copy);
    else if (kind === "link") copyLink(source, copy);
    else copyFile(source, copy);
  }
}

function copyLink(from: Buffer, to: Buffer): void {
  const target = fs.readlinkSync(from, { encoding: "buffer" });
  // On macOS links have permissions, and they count: the umask's alone.
  const usual = process.umask(0);
  try {
    fs.symlinkSync(target, to);
  } finally {
    process.umask(usual);
  }
}

/** Follows a link. */
function copyFile(from: Buffer | string, to: Buffer | string): void {
  if (fs.lstatSync(to, { throwIfNoEntry: false })?.isFile() === true) return;
  fs.rmSync(to, { force: true });
  fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(to, (fs.statSync(from).mode & 0o100) === 0 ? 0o644 : 0o755);
}

function makeFolder(path: Buffer | string): void {
  fs.mkdirSync(path, { recursive: true });
  fs.chmodSync(path, 0o755);
}

function refuseOutsideLinks(source: string, manifest: ContextManifest, context: string): void {
  const real = fs.realpathSync(context) + sep;
  for (const { path, kind } of manifest.entries) {
    if (kind !== "link") continue;
    const link = below(context, entryBytes(path));
    if (whereTo(link, join(real, posix.dirname(path))).startsWith(real)) continue;
    throw new ContextError(
      `${source}/${path}`,
      `is a link to ${fs.readlinkSync(link)}, which is not in this build context: docker's provider cannot take it`,
      "list it in .dockerignore, and make it in the Dockerfile if the image needs it (RUN ln -s)",
    );
  }
}

/** @param from the folder that the link lies in */
function whereTo(link: Buffer, from: string): string {
  try {
    return fs.realpathSync(link);
  } catch {
    // Nowhere, which is no harm as long as that is in the context: what is not there yet may be made by the build.
    return resolve(from, fs.readlinkSync(link));
  }
}

/** Whoever was first: another run may have made the same. */
function publish(draft: string, staged: string): void {
  try {
    fs.renameSync(draft, staged);
  } catch (error) {
    if (!fs.existsSync(staged)) throw error;
  }
}

/** What nobody has used for a day: another run may be at work with an older one. */
function removeOld(folder: string): void {
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name);
    if (Date.now() - fs.lstatSync(path).mtimeMs > DAY_MS) fs.rmSync(path, { recursive: true, force: true });
  }
}

function below(folder: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), name]);
}
