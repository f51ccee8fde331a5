import { execFile } from "node:child_process";
import { environmentForHost } from "./askFacts";
import type { Connection } from "./connection";

/**
 * Whom an image on the host would run as, in its own words; empty is root. For one that has come to be in this run: what
 * was there before the facts tell.
 *
 * @throws Error when the host does not answer within a minute, or has no such image
 */
export function askImageUser({ interpreter }: Connection, reference: string): Promise<string> {
  const [program = "sh", ...rest] = interpreter;
  const command = `docker image inspect -f '{{with .Config}}{{.User}}{{end}}' '${reference}'`;
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...rest, command],
      { env: environmentForHost(), encoding: "utf8", timeout: 60_000 },
      (error, user, stderr) => {
        if (error === null) resolve(user.trim());
        else
          reject(
            new Error(`the host does not tell whom ${reference} runs as: ${stderr.trim() || error.message}`, {
              cause: error,
            }),
          );
      },
    );
  });
}
