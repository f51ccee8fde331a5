import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Box } from "../../test/e2e/lib/box";
import { run } from "../../test/e2e/lib/command";
import type { Contender } from "./contender";
import { type Service, Sources } from "./sources";
import { Tunnel } from "./tunnel";

/** The CRM's sources and a compose file here, and the box's engine, for a contender that is a Docker client. */
export class Remote {
  private fault = "";
  private readonly touched = new Set<Service>();

  private constructor(
    readonly folder: string,
    private readonly sources: Sources,
    private readonly tunnel: Tunnel,
  ) {}

  static async open(box: Box, composeFile: string): Promise<Remote> {
    const folder = await mkdtemp(join(tmpdir(), "bench-"));
    const sources = new Sources(folder);
    await sources.restore();
    await writeFile(join(folder, "compose.yaml"), composeFile);
    return new Remote(folder, sources, await Tunnel.open(box, folder));
  }

  /** What is edited before a deploy. */
  readonly editing: Pick<Contender, "change" | "breakBackend" | "revert"> = {
    change: async (service, mark) => {
      this.touched.add(service);
      await this.sources.change(service, mark);
    },
    breakBackend: () => {
      this.fault = "unhealthy";
      this.touched.add("backend");
      return Promise.resolve();
    },
    revert: async () => {
      this.fault = "";
      await this.sources.restore();
    },
  };

  /** The services that were edited since this was asked last, in the order of their edits. */
  takeTouched(): Service[] {
    const touched = [...this.touched];
    this.touched.clear();
    return touched;
  }

  /** Runs a Docker client against the box's engine. */
  run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const [program = "", ...args] = command;
    return run(program, args, {
      cwd: this.folder,
      env: {
        ...process.env,
        DOCKER_HOST: `unix://${this.tunnel.socket}`,
        DOCKER_BUILDKIT: "1",
        COMPOSE_PROJECT_NAME: "bench",
        FAULT: this.fault,
        ...env,
      },
      timeout: 300_000,
    });
  }

  async close(): Promise<void> {
    await this.tunnel.close();
    await rm(this.folder, { recursive: true });
  }
}
