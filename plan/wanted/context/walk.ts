import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { posix } from "node:path";
import type { ContextFilter, Trail } from "./ignore";
import type { ContextEntry } from "./manifest";
import { asMatched, asPrinted } from "./names";
import { attempt } from "./problem";

/** A walk through the context with the filters of one or more builders side by side. */
export class ContextWalk {
  readonly found: { readonly bytes: Buffer; readonly entry: ContextEntry }[] = [];
  readonly leftOut: { readonly path: string; readonly reason: string }[] = [];

  constructor(
    private readonly root: string,
    private readonly filters: readonly ContextFilter[],
    private readonly without: string | undefined,
  ) {}

  /**
   * @param directory its path below the root; names are bytes, not text
   * @param trails for each filter what it said of the directory, undefined where it does not enter
   * @returns whether anything in it is sent
   */
  enter(directory: Buffer, trails: readonly (Trail | undefined)[]): boolean {
    const cure = "make it readable, or list it in .dockerignore";
    const children = attempt(this.absolute(directory), cure, () =>
      fs.readdirSync(this.absolute(directory), { withFileTypes: true, encoding: "buffer" }),
    );
    let anySent = false;
    for (const child of children) {
      const path =
        directory.length === 0 ? child.name : Buffer.concat([directory, Buffer.from("/"), child.name]);
      if (child.isDirectory() && this.isExcepted(path)) continue;
      const text = asMatched(path);
      const verdicts = this.filters.map((filter, index) => {
        const trail = trails[index];
        return trail && filter(text, child.isDirectory(), trail);
      });
      let sent = verdicts.some((verdict) => verdict?.sent === true);
      if (child.isDirectory()) {
        const below = verdicts.map((verdict) => (verdict?.entered === true ? verdict.trail : undefined));
        if (below.some((trail) => trail !== undefined) && this.enter(path, below)) sent = true;
        if (sent) this.add(path, "directory", createHash("sha256").update("directory").digest("hex"));
      } else if (sent) {
        sent = this.addLeaf(path, child);
      }
      anySent ||= sent;
    }
    return anySent;
  }

  private addLeaf(path: Buffer, entry: fs.Dirent<Buffer>): boolean {
    const absolute = this.absolute(path);
    if (entry.isFile()) this.add(path, "file", digestFile(absolute));
    else if (entry.isSymbolicLink()) this.add(path, "link", digestLink(absolute));
    else {
      const kind = entry.isSocket() ? "a socket" : entry.isFIFO() ? "a named pipe" : "a device";
      this.leftOut.push({ path: asPrinted(path), reason: `${kind} has no content that an image could have` });
      return false;
    }
    return true;
  }

  private isExcepted(path: Buffer): boolean {
    return this.without !== undefined && posix.resolve(this.root, asMatched(path)) === this.without;
  }

  private add(bytes: Buffer, kind: ContextEntry["kind"], digest: string): void {
    this.found.push({ bytes, entry: { path: asPrinted(bytes), kind, digest } });
  }

  private absolute(path: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.root}/`), path]);
  }
}

const chunk = Buffer.alloc(1024 * 1024);

function digestFile(path: Buffer): string {
  return attempt(path, "make it readable, or list it in .dockerignore", () => {
    const file = fs.openSync(path, "r");
    try {
      const executable = (fs.fstatSync(file).mode & 0o100) !== 0;
      const hash = createHash("sha256").update(executable ? "executable\0" : "file\0");
      for (let size = -1; size !== 0;) {
        size = fs.readSync(file, chunk);
        hash.update(chunk.subarray(0, size));
      }
      return hash.digest("hex");
    } finally {
      fs.closeSync(file);
    }
  });
}

function digestLink(path: Buffer): string {
  return attempt(path, "list it in .dockerignore", () => {
    const target = fs.readlinkSync(path, { encoding: "buffer" });
    return createHash("sha256").update("link\0").update(target).digest("hex");
  });
}
