import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Box } from "./box";
import { type Host, localHost, type Seen } from "./host";
import { freePort } from "./port";
import { Pulumi } from "./pulumi";
import { Workspace } from "./workspace";

/** One of examples/, deployed by its stack.yaml alone; only where to and the port are the test's. */
export class Example {
  /** The label and the images' prefix on the host. */
  readonly fullName: string;

  private constructor(
    readonly workspace: Workspace,
    readonly pulumi: Pulumi,
    readonly host: Host,
    private readonly port: number,
  ) {
    this.fullName = `artsvao/${workspace.stack}`;
  }

  /** @param stack what its name begins with */
  static of(name: string, stack = name): Promise<Example> {
    return Example.in(join("examples", name), stack);
  }

  /** @param config what the stack's config begins as */
  static async in(folder: string, stack: string, config = join(folder, "stack.yaml")): Promise<Example> {
    const workspace = await Workspace.create(`${stack}-${process.pid}`, folder, config);
    const port = await freePort();
    await workspace.set("http.port", port);
    const pulumi = new Pulumi(workspace, {});
    await pulumi.init();
    return new Example(workspace, pulumi, localHost, port);
  }

  /** On a machine of its own, over ssh. */
  static async inBox(box: Box, name: string): Promise<Example> {
    const folder = join("examples", name);
    const workspace = await Workspace.create(`${name}-${process.pid}`, folder, join(folder, "stack.yaml"));
    await workspace.set("host", { address: `ssh://root@127.0.0.1:${box.sshPort}`, hostKey: box.hostKey });
    await workspace.set("http", undefined);
    const pulumi = new Pulumi(workspace, box.deployerEnv);
    await pulumi.init();
    return new Example(workspace, pulumi, box.host, box.httpPort);
  }

  running(): Promise<Record<string, Seen>> {
    return this.host.running(this.fullName);
  }

  get address(): string {
    return `http://localhost:${this.port}/`;
  }

  /** What a visitor gets. Its config publishes it on 127.0.0.1 only. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(new URL(path, this.address), { signal: AbortSignal.timeout(15_000), ...init });
  }

  /** The same under another host name, and no redirect is followed. */
  async ask(
    host: string,
    path: string,
  ): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> {
    const sent = request({
      host: "127.0.0.1",
      port: this.port,
      path,
      headers: { Host: host },
      timeout: 15_000,
    }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await text(response), headers: response.headers };
  }

  /** All that the host has of it. */
  async traces() {
    return {
      containers: (await this.host.containers(this.fullName)).map(({ id }) => id),
      images: await this.host.images(this.fullName),
      networks: await this.host.networks(this.fullName),
      volumes: await this.host.volumes(this.fullName),
    };
  }

  async destroy(): Promise<void> {
    const { code, text: said } = await this.pulumi.destroy();
    if (code !== 0) throw new Error(said);
  }

  /** The engine is shared with others: takes back all that was made, the data too. */
  async remove(): Promise<void> {
    await this.destroy();
    for (const volume of await this.host.volumes(this.fullName))
      await this.host.sh(`docker volume rm ${volume}`);
    await this.workspace.remove();
  }
}
