import { z } from "zod";
import type { ValueMap } from "../lib/values";
import { DockerEngine } from "./engine";
import { sshAgent, unixAgent } from "./transport";

/** Of the ways to log in, the stand-in knows a name and a password. */
const login = z.strictObject({ address: z.string(), username: z.string(), password: z.string() });
export type Login = z.infer<typeof login>;

/** Which Docker engine the provider speaks to. Nothing is opened before the first request: previews stay offline. */
export class Connection {
  private configured: DockerEngine | undefined;
  private logins: readonly Login[] = [];

  /**
   * Takes the provider's own inputs: `host`, and `sshOpts` and `registryAuth` as the JSON text that the SDK makes of them.
   * Throws on an address that is neither unix:// nor ssh://.
   */
  configure(inputs: ValueMap): void {
    const host = typeof inputs["host"] === "string" ? inputs["host"] : (process.env["DOCKER_HOST"] ?? "");
    const logins = typeof inputs["registryAuth"] === "string" ? inputs["registryAuth"] : "[]";
    this.logins = z.array(login).parse(JSON.parse(logins));
    const options = typeof inputs["sshOpts"] === "string" ? inputs["sshOpts"] : "[]";
    this.configured = new DockerEngine(agentFor(host, z.array(z.string()).parse(JSON.parse(options))));
  }

  /** The login for the registry that an image's name names; undefined: none. */
  loginFor(name: string): Login | undefined {
    const first = name.includes("/") ? (name.split("/", 1)[0] ?? "") : "";
    const registry = /[.:]|^localhost$/.test(first) ? first : "registry-1.docker.io";
    return this.logins.find(
      ({ address }) => address.replace(/^https?:\/\//, "").split("/", 1)[0] === registry,
    );
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
