import { z } from "zod";
import type { ValueMap } from "../lib/values";
import { DockerEngine } from "./engine";
import { sshAgent, unixAgent } from "./transport";

/** Which Docker engine the provider speaks to. Nothing is opened before the first request: previews stay offline. */
export class Connection {
  private configured: DockerEngine | undefined;

  /**
   * Takes the provider's own inputs: `host`, and `sshOpts` as the JSON text that the SDK makes of it. Throws on
   * an address that is neither unix:// nor ssh://.
   */
  configure(inputs: ValueMap): void {
    const host = typeof inputs["host"] === "string" ? inputs["host"] : (process.env["DOCKER_HOST"] ?? "");
    const options = typeof inputs["sshOpts"] === "string" ? inputs["sshOpts"] : "[]";
    this.configured = new DockerEngine(agentFor(host, z.array(z.string()).parse(JSON.parse(options))));
  }

  get engine(): DockerEngine {
    if (!this.configured) throw new Error("the provider was used before it was configured");
    return this.configured;
  }
}

function agentFor(host: string, sshOptions: string[]): ReturnType<typeof unixAgent> {
  if (host === "") return unixAgent("/var/run/docker.sock");
  const { protocol, pathname } = new URL(host);
  if (protocol === "unix:") return unixAgent(pathname);
  if (protocol === "ssh:") return sshAgent(new URL(host), sshOptions);
  throw new Error(
    `host ${host}: the stand-in for pulumi-resource-docker connects to unix:// and ssh:// only`,
  );
}
