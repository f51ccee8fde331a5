import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { contextProblem } from "../../deployer/localEngine";

const SSH = "ssh://deploy@shop.example";
const DESKTOP = "unix:///home/ann/.docker/desktop/docker.sock";

describe("the engine that docker's provider would use", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "client-"));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** A docker client whose current context leads there. */
  const client = (engine: string) => {
    const docker = join(folder, "docker");
    writeFileSync(docker, `#!/bin/sh\n[ "$1 $2" = "context inspect" ] && echo ${engine}\n`);
    chmodSync(docker, 0o755);
    vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
  };

  it.each(["local", SSH])("is another one with DOCKER_CONTEXT, whatever %s says", (address) => {
    expect(contextProblem(address, { DOCKER_CONTEXT: "colima" })).toMatch(
      /^DOCKER_CONTEXT is set \(colima\): .* Unset it/,
    );
    expect(contextProblem(address, { DOCKER_CONTEXT: "", DOCKER_HOST: "unix:///e" })).toBeUndefined();
  });

  it("is not that of a context in use, which the client takes on this machine", () => {
    client(DESKTOP);
    expect(contextProblem("local", {})).toContain(`export DOCKER_HOST=${DESKTOP}`);
    expect(contextProblem("local", { DOCKER_HOST: DESKTOP })).toBeUndefined();
    expect(contextProblem(SSH, {})).toBeUndefined();
  });

  it("is the client's own, as a rule", () => {
    client("unix:///var/run/docker.sock");
    expect(contextProblem("local", {})).toBeUndefined();
    vi.stubEnv("PATH", "/nowhere");
    expect(contextProblem("local", {})).toBeUndefined();
  });
});
