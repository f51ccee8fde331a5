import { spawnSync } from "node:child_process";
import { withoutConfig } from "./environment";

/**
 * Whether images can be built on this machine: its docker client is asked, which heeds DOCKER_HOST and contexts.
 *
 * @returns why not, in the client's own last line; undefined when an engine answers
 */
export function localEngineProblem(): string | undefined {
  const asked = askClient(30_000, "version", "--format", "{{.Server.Version}}");
  if (asked.error !== undefined) {
    return "code" in asked.error && asked.error.code === "ENOENT"
      ? "docker is not installed"
      : asked.error.message;
  }
  if (asked.status === 0) return undefined;
  return asked.stderr.trim().split("\n").at(-1) ?? "docker version failed";
}

const DEFAULT_ENGINE = "unix:///var/run/docker.sock";

/**
 * Why docker's provider would make containers on another engine than all else talks to. It takes DOCKER_CONTEXT before the
 * host that it is given, and of a context that was chosen by `docker context use` it does not know.
 *
 * @returns what is wrong and what to type; undefined: both are one
 */
export function contextProblem(
  address: string,
  { DOCKER_CONTEXT: context, DOCKER_HOST: host }: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (context !== undefined && context !== "") {
    return (
      `DOCKER_CONTEXT is set (${context}): docker's provider would go there, whatever host.address says. ` +
      "Unset it; DOCKER_HOST names another engine on this machine"
    );
  }
  if (address !== "local" || (host !== undefined && host !== "")) return undefined;
  const current = currentEngine();
  if (current === undefined || current === DEFAULT_ENGINE) return undefined;
  return (
    `host.address is local, and docker's client uses ${current} there (docker context use), of which docker's provider ` +
    `does not know. Name it to both: export DOCKER_HOST=${current}`
  );
}

function currentEngine(): string | undefined {
  const asked = askClient(10_000, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}");
  // An old client or none: others tell of that.
  return asked.status === 0 ? asked.stdout.trim() : undefined;
}

/** @param timeout milliseconds */
function askClient(timeout: number, ...args: string[]) {
  return spawnSync("docker", args, { env: withoutConfig(), encoding: "utf8", timeout });
}
