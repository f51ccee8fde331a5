import { spawnSync } from "node:child_process";

/**
 * Whether images can be built on this machine: its docker client is asked, which heeds DOCKER_HOST and contexts.
 *
 * @returns why not, in the client's own last line; undefined when an engine answers
 */
export function localEngineProblem(): string | undefined {
  const asked = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    encoding: "utf8",
    timeout: 30_000,
  });
  if (asked.error !== undefined) {
    return "code" in asked.error && asked.error.code === "ENOENT"
      ? "docker is not installed"
      : asked.error.message;
  }
  if (asked.status === 0) return undefined;
  return asked.stderr.trim().split("\n").at(-1) ?? "docker version failed";
}
