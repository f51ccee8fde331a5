import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { OpsError } from "./errors";

/** The project's folder: where Pulumi.yaml is. */
export const PROJECT = dirname(__dirname);

export interface Selection {
  readonly stack?: string | undefined;
  readonly configFile?: string | undefined;
}

/**
 * Runs the Pulumi CLI in the project's folder and gives what it printed.
 *
 * @param input goes to its stdin: a secret never stands on a command line
 * @throws OpsError with the CLI's own words
 */
export function pulumi(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      "pulumi",
      [...args, "--non-interactive", "--color", "never"],
      { cwd: PROJECT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (error.code === "ENOENT")
          reject(new OpsError("pulumi is not on PATH: install the Pulumi CLI"));
        else reject(new OpsError(`pulumi ${args[0] ?? ""}: ${stderr.trim().replace(/^error: /, "")}`));
      },
    );
    // One that ends before it has read everything has said why.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
}

export function selectionFlags({ stack, configFile }: Selection): string[] {
  return [
    ...(stack === undefined ? [] : ["--stack", stack]),
    ...(configFile === undefined ? [] : ["--config-file", configFile]),
  ];
}
