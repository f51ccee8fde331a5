import { createHash, randomBytes, type Hash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, type Stats } from "node:fs";
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import ignore, { type Ignore } from "@balena/dockerignore";
import { pack, type Pack } from "tar-stream";

/** What a build sends: a folder less what its ignore file names, and a Dockerfile that may lie elsewhere. */
export interface BuildContext {
  folder: string;
  dockerfile: string;
}

interface Entry {
  /** Relative to the folder, with forward slashes. */
  path: string;
  stats: Stats;
}

/**
 * A hash of all that the build can see: contents, paths, kinds and permissions, no times. The Dockerfile counts
 * by its content, whatever it is called and wherever it lies.
 */
export async function contextDigest(context: BuildContext): Promise<string> {
  const hash = createHash("sha256");
  await hashFile(hash, "Dockerfile", 0, context.dockerfile);
  for await (const { path, stats } of entries(context.folder, ignoreRules(context))) {
    const file = join(context.folder, path);
    if (stats.isSymbolicLink()) hash.update(`${path}\0${stats.mode}\0${await evaluated(file)}\0`);
    else if (stats.isFile()) await hashFile(hash, path, stats.mode, file);
  }
  return hash.digest("hex");
}

/** Where a link leads in the end, on this machine; one that leads nowhere counts by what it says. */
async function evaluated(link: string): Promise<string> {
  return realpath(link).catch(() => readlink(link));
}

/** The context as the engine takes it, owned by root, and the Dockerfile's name in it. */
export function contextArchive(context: BuildContext): { archive: Readable; dockerfile: string } {
  const archive = pack();
  const inside = relative(resolve(context.folder), resolve(context.dockerfile));
  const outside = isAbsolute(inside) || inside.startsWith(`..${sep}`);
  const dockerfile = outside ? `.dockerfile.${randomBytes(10).toString("hex")}` : inside.split(sep).join("/");
  const rules = ignoreRules(context);
  // A build needs these two even where the ignore file names them.
  rules.add([`!${dockerfile}`, "!.dockerignore"]);
  void fill(archive, context, rules, outside ? dockerfile : undefined).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return { archive: Readable.from(archive), dockerfile };
}

async function fill(
  archive: Pack,
  context: BuildContext,
  rules: Ignore,
  added: string | undefined,
): Promise<void> {
  if (added !== undefined) archive.entry({ name: added, mode: 0o600 }, readFileSync(context.dockerfile));
  for await (const { path, stats } of entries(context.folder, rules)) {
    const file = join(context.folder, path);
    const header = { name: path, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
    if (stats.isDirectory()) archive.entry({ ...header, type: "directory" });
    else if (stats.isSymbolicLink())
      archive.entry({ ...header, type: "symlink", linkname: await readlink(file) });
    else if (stats.isFile())
      await pipeline(createReadStream(file), archive.entry({ ...header, size: stats.size }));
  }
  archive.finalize();
}

/** `<Dockerfile>.dockerignore` if there is one, else the folder's own .dockerignore. */
function ignoreRules({ folder, dockerfile }: BuildContext): Ignore {
  const rules = ignore();
  const file = [`${dockerfile}.dockerignore`, join(folder, ".dockerignore")].find((path) => existsSync(path));
  if (file !== undefined) rules.add(readFileSync(file, "utf8").split("\n"));
  return rules;
}

/** Everything that is not ignored, in the order of the names. A folder is walked for what a `!` rule brings back. */
async function* entries(folder: string, rules: Ignore, below = ""): AsyncGenerator<Entry> {
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = await lstat(join(folder, path));
    if (!rules.ignores(path)) yield { path, stats };
    if (stats.isDirectory()) yield* entries(folder, rules, path);
  }
}

async function hashFile(hash: Hash, path: string, mode: number, file: string): Promise<void> {
  const content = createHash("sha256");
  await pipeline(createReadStream(file), content);
  hash.update(`${path}\0${mode}\0`).update(content.digest());
}
