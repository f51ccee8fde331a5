import * as fs from "node:fs";
import * as path from "node:path";

export interface Below {
  /** Absolute, if `dir` is. */
  readonly path: string;
  readonly entry: fs.Dirent;
}

/**
 * All that lies below a folder, a folder before what is in it. No link is followed: `readdir` with `recursive` does so
 * in some versions of Node, and out of the folder then.
 */
export function below(dir: string): Below[] {
  return fs
    .readdirSync(dir, { withFileTypes: true })
    .map((entry) => ({ path: path.join(dir, entry.name), entry }))
    .flatMap((one) => (one.entry.isDirectory() ? [one, ...below(one.path)] : [one]));
}

/**
 * Another time and other mode bits for one file or folder; of a link the time alone, and its own.
 *
 * @param seconds since the epoch
 * @param bits turned round
 */
export function touch({ path: file, entry }: Below, seconds: number, bits: number): void {
  if (entry.isSymbolicLink()) {
    fs.lutimesSync(file, seconds, seconds);
    return;
  }
  // By descriptor and never through a link: whatever the name has become, nothing else is changed.
  const open = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    fs.fchmodSync(open, (fs.fstatSync(open).mode & 0o7777) ^ bits);
    fs.futimesSync(open, seconds, seconds);
  } finally {
    fs.closeSync(open);
  }
}
