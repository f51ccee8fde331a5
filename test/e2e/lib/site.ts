import type { Box } from "./box";
import { Crm } from "./crm";
import { type Host, localHost, type Seen } from "./host";
import { Load, type LoadReport } from "./load";
import { freePort } from "./port";
import { type Outcome, Pulumi } from "./pulumi";
import { Report } from "./report";
import { Workspace } from "./workspace";

/** A deployment of the example CRM as a test holds it: who deploys, where to, what visitors get. */
export class Site {
  /** The label and the images' prefix on the host. */
  readonly fullName: string;
  /** Fixed names, so that a text of the test can be found again at the end. */
  readonly contactName = "Ada Lovelace";

  private constructor(
    readonly workspace: Workspace,
    readonly pulumi: Pulumi,
    readonly host: Host,
    readonly crm: Crm,
    readonly report: Report,
    /** Switches the machine off and on again, and waits until it can be reached. */
    readonly reboot: () => Promise<void>,
  ) {
    this.fullName = `artsvao/${workspace.stack}`;
  }

  /** @param title of its part of the report */
  static async inBox(box: Box, stack: string, title = "In the box, over ssh"): Promise<Site> {
    const workspace = await Workspace.create(stack);
    await workspace.set("host", { address: `ssh://root@127.0.0.1:${box.sshPort}`, hostKey: box.hostKey });
    // As on a VPS: port 80 on all its addresses. Only 127.0.0.1 of this machine leads to it.
    await workspace.set("http", undefined);
    const pulumi = new Pulumi(workspace, box.deployerEnv);
    await pulumi.init();
    return new Site(workspace, pulumi, box.host, new Crm(box.httpPort), new Report(title), box.reboot);
  }

  /** @param title of its part of the report */
  static async onThisMachine(stack: string, title = "On this machine's engine"): Promise<Site> {
    const workspace = await Workspace.create(stack);
    const port = await freePort();
    await workspace.set("http.port", port);
    const pulumi = new Pulumi(workspace, {});
    await pulumi.init();
    const reboot = () => Promise.reject(new Error("this machine is not a test's to reboot"));
    return new Site(workspace, pulumi, localHost, new Crm(port), new Report(title), reboot);
  }

  running(): Promise<Record<string, Seen>> {
    return this.host.running(this.fullName);
  }

  /** The runner's own files on the host. */
  get stateFolder(): string {
    return `/var/lib/${this.fullName}`;
  }

  /** Does the work under constant requests, a second before and a second after it. */
  async underLoad<T>(work: () => Promise<T>): Promise<[T, LoadReport]> {
    const load = new Load(this.crm);
    try {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const result = await work();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return [result, await load.stop()];
    } catch (error) {
      await load.stop().catch(() => undefined);
      throw error;
    }
  }

  /** One `up` under load, with its row in the report. */
  async measuredUp(what: string): Promise<[Outcome, LoadReport]> {
    const [outcome, load] = await this.underLoad(() => this.pulumi.up());
    this.report.add(what, outcome.seconds, load);
    return [outcome, load];
  }

  /** The engine is shared with others: takes back all that was made, the data too. */
  async remove(): Promise<void> {
    const { code, text } = await this.pulumi.destroy();
    if (code !== 0) throw new Error(text);
    for (const volume of await this.host.volumes(this.fullName))
      await this.host.sh(`docker volume rm ${volume}`);
    await this.host.sh(`rm -rf ${this.stateFolder}`);
    await this.workspace.remove();
  }

  /** Back to the reverted sources and config, whatever an earlier scenario left. */
  async settle(): Promise<void> {
    await this.workspace.restore();
    await this.pulumi.cancel().catch(() => undefined); // refuses when nothing is locked
    const { code, text } = await this.pulumi.up();
    if (code !== 0) throw new Error(`the site cannot be brought back to its first state:\n${text}`);
  }
}
