import { z } from "zod";
import { run } from "./command";

/** One container of a stack, as its engine shows it. */
export interface Seen {
  readonly id: string;
  readonly key: string;
  readonly service: string;
  readonly role: string;
  readonly running: boolean;
  /** Another one after each start. */
  readonly startedAt: string;
  readonly image: string;
  readonly published: readonly string[];
  readonly hardened: {
    readonly user: string;
    readonly readOnly: boolean;
    readonly drops: readonly string[];
    readonly memory: number;
  };
}

const inspected = z.array(
  z.object({
    Id: z.string(),
    State: z.object({ Running: z.boolean(), StartedAt: z.string() }),
    Config: z.object({ Image: z.string(), User: z.string(), Labels: z.record(z.string(), z.string()) }),
    HostConfig: z.object({
      ReadonlyRootfs: z.boolean(),
      CapDrop: z.array(z.string()).nullable(),
      Memory: z.number(),
      PortBindings: z.record(z.string(), z.unknown()).nullable(),
    }),
  }),
);

/** The machine that is deployed to, looked at from within: what a stack has on it. */
export class Host {
  /** @param inside the program and arguments in front of `sh -c SCRIPT` */
  constructor(
    private readonly inside: readonly string[],
    private readonly env: NodeJS.ProcessEnv = process.env,
  ) {}

  async sh(script: string, timeout = 120_000): Promise<string> {
    const [program, ...args] = [...this.inside, "sh", "-c", script] as const;
    return (await run(program, args, { env: this.env, timeout })).trim();
  }

  private async lines(script: string): Promise<string[]> {
    return (await this.sh(script)).split("\n").filter((line) => line !== "");
  }

  async containers(stack: string): Promise<Seen[]> {
    const ids = await this.lines(`docker ps -aq --no-trunc --filter label=deploy.stack=${stack}`);
    if (ids.length === 0) return [];
    const all = inspected.parse(JSON.parse(await this.sh(`docker inspect ${ids.join(" ")}`)));
    return all.map(({ Id, State, Config, HostConfig }) => ({
      id: Id,
      key: Config.Labels["deploy.key"] ?? "",
      service: Config.Labels["deploy.service"] ?? "",
      role: Config.Labels["deploy.role"] ?? "",
      running: State.Running,
      startedAt: State.StartedAt,
      image: Config.Image,
      published: Object.keys(HostConfig.PortBindings ?? {}),
      hardened: {
        user: Config.User,
        readOnly: HostConfig.ReadonlyRootfs,
        drops: HostConfig.CapDrop ?? [],
        memory: HostConfig.Memory,
      },
    }));
  }

  /** What runs, by service. @throws Error when two of one service run. */
  async running(stack: string): Promise<Record<string, Seen>> {
    const running = (await this.containers(stack)).filter((one) => one.running);
    const services = running.map(({ service }) => service);
    if (new Set(services).size < services.length)
      throw new Error(`two of one service run: ${services.join(", ")}`);
    return Object.fromEntries(running.map((one) => [one.service, one]));
  }

  /** Repository:tag of each image that was built for the stack, sorted. */
  async images(stack: string): Promise<string[]> {
    return (await this.lines(`docker images --format '{{.Repository}}:{{.Tag}}' '${stack}/*'`)).sort();
  }

  /** The same with the ID of each: another build has another one. */
  async imageIds(stack: string): Promise<string[]> {
    const format = "{{.Repository}}:{{.Tag}} {{.ID}}";
    return (await this.lines(`docker images --no-trunc --format '${format}' '${stack}/*'`)).sort();
  }

  networks(stack: string): Promise<string[]> {
    return this.lines(`docker network ls --filter label=deploy.stack=${stack} --format '{{.Name}}'`);
  }

  volumes(stack: string): Promise<string[]> {
    return this.lines(`docker volume ls --filter label=deploy.stack=${stack} --format '{{.Name}}'`);
  }

  /**
   * Waits until a file on the host has a line that matches; asks every 50 ms, in one connection.
   * @param pattern an extended regular expression, as grep -E reads it
   * @throws Error after `seconds`
   */
  async awaitLine(file: string, pattern: string, seconds: number): Promise<void> {
    const tries = seconds * 20;
    await this.sh(
      `i=0; until grep -Eq '${pattern}' '${file}' 2>/dev/null; do i=$((i+1)); [ $i -lt ${tries} ] || { echo 'no ${pattern} in ${file}' >&2; exit 1; }; sleep 0.05; done`,
      (seconds + 60) * 1000,
    );
  }
}

/** This machine's own engine. */
export const localHost = new Host([]);
