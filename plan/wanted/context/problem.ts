import { asPrinted } from "./names";

/** A context that cannot be read. `message` says which path, what is wrong, and what to do. */
export class ContextError extends Error {
  override readonly name = "ContextError";
  constructor(
    readonly path: string,
    readonly problem: string,
    readonly cure: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${problem}; ${cure}`, options);
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "cannot be read: permission denied",
  EPERM: "cannot be read: permission denied",
  EISDIR: "is a directory, not a file",
  ELOOP: "is a link that leads to itself",
};

/** Does one thing with the file system, and explains it when it fails. */
export function attempt<T>(path: string | Buffer, cure: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "") throw error;
    const shown = typeof path === "string" ? path : asPrinted(path);
    throw new ContextError(shown, problems[code] ?? `cannot be read (${code})`, cure, { cause: error });
  }
}
