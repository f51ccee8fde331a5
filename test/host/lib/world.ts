import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Action, hostCommand, hostScript } from "../../../host/bundle";
import { parseFacts } from "../../../plan/found/answer";
import { generation } from "../../../plan/found/present";
import { filledIn } from "../../../plan/wanted/environment";
import { type NamedContainer, serves } from "../../../plan/wanted/container";
import { type Facts } from "../../../plan/found/facts";
import { type CreatedContainer, type CreatedNetwork, stackLines } from "../../../plan/release/wire";
import { stackLabel } from "../../../plan/wanted/names";
import { pathOf, type ShellName } from "./shells";
import { NAMES } from "./stacks";

export interface Outcome {
  /** null: killed. */
  readonly code: number | null;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** A started script: its process, and its end. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/** What goes wrong once: see fake-docker/engine/world.sh. */
export interface Fault {
  /** A shell pattern for the call. */
  readonly call: string;
  /** At which match, 1 is the first. */
  readonly at?: number;
  readonly happens: "fail" | "slay" | "slay-after" | "hang";
  /** fail: the complaint; slay: alone or group; hang: seconds. */
  readonly words: string;
}

const open = new Set<World>();

/** Removes every world that a test made and did not remove. */
export function removeWorlds(): void {
  for (const world of [...open]) world.remove();
}

/** A host: a folder with the fake docker's state and the folder in which host/ remembers things. */
export class World {
  private constructor(
    readonly dir: string,
    readonly shell: ShellName,
  ) {
    open.add(this);
  }

  /** Of the state that deploys here. */
  lineage = "11111111-1111-4111-8111-111111111111";

  static create(shell: ShellName = "dash"): World {
    const dir = fs.mkdtempSync(join(tmpdir(), "host-world-"));
    for (const folder of ["containers", "volumes/proxy", "volumes/database", "state", "tmp", "bin"]) {
      fs.mkdirSync(join(dir, folder), { recursive: true });
    }
    const world = new World(dir, shell);
    world.write("version", "linux/amd64 20.10.24\n");
    for (const file of ["images", "networks", "volumes.list", "mounts"]) world.write(file, "");
    return world;
  }

  /** The same host once more; the names of runs, which are paths, are moved along. */
  clone(): World {
    const dir = fs.mkdtempSync(join(tmpdir(), "host-world-"));
    const runs = join(this.dir, "state/test/runs/");
    const undecided = this.read("state/test/journal") !== undefined;
    // Only an open journal needs the runs of before.
    fs.cpSync(this.dir, dir, { recursive: true, filter: (path) => undecided || !path.startsWith(runs) });
    const copy = new World(dir, this.shell);
    for (const file of ["state/test/journal", "state/test/current"]) {
      const text = copy.read(file);
      if (text !== undefined) copy.write(file, text.replaceAll(this.dir, dir));
    }
    for (const list of ["calls", "asked"]) fs.rmSync(join(dir, list), { force: true });
    return copy;
  }

  remove(): void {
    open.delete(this);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  read(file: string): string | undefined {
    try {
      return fs.readFileSync(join(this.dir, file), "utf8");
    } catch {
      return undefined;
    }
  }

  lines(file: string): string[] {
    return (this.read(file) ?? "").split("\n").filter((line) => line !== "");
  }

  write(file: string, text: string): void {
    fs.writeFileSync(join(this.dir, file), text);
  }

  folder(path: string): void {
    fs.mkdirSync(join(this.dir, path), { recursive: true });
  }

  /** Puts a program of the test's own before the host's. */
  tool(name: string, text: string): void {
    this.write(`bin/${name}`, text);
    fs.chmodSync(join(this.dir, "bin", name), 0o755);
  }

  /** @param wait how long to wait for another release, seconds */
  stackLines(wait = 1): string[] {
    const host = {
      stateDir: join(this.dir, "state"),
      log: join(this.dir, "deploy.log"),
      address: "local",
      lockWait: wait,
    };
    return stackLines(NAMES, host, wait, this.lineage);
  }

  /** Runs a script as the product does: the command line for sh, the script on stdin. */
  start(action: Action, lines: readonly string[], wait?: number): Running {
    return this.spawned(hostCommand(action), this.script(action, [...this.stackLines(wait), ...lines]));
  }

  /** Calls single functions of the script. */
  eval(commands: string): Promise<Outcome> {
    this.write("tmp/functions", this.script("deploy", this.stackLines()));
    return this.spawned(`set -- :; . ${this.dir}/tmp/functions; ${commands}`, "").ended;
  }

  private spawned(command: string, stdin: string): Running {
    const child = spawn("sh", ["-c", command], {
      cwd: this.dir,
      env: {
        PATH: `${this.dir}/bin:${pathOf(this.shell)}`,
        FAKE_WORLD: this.dir,
        TMPDIR: join(this.dir, "tmp"),
        HOME: this.dir,
      },
      stdio: ["pipe", "pipe", "pipe"],
      // A session of its own, as over ssh: a test can end all of it.
      detached: true,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stdin.on("error", () => undefined).end(stdin);
    const ended = new Promise<Outcome>((done, failed) => {
      child.on("error", failed).on("close", (code) => {
        done({ code, output });
      });
    });
    return { process: child, ended };
  }

  /** The product's script; on a host with a memory of its own (putMemory) that one stands for the machine's. */
  private script(action: Action, lines: readonly string[]): string {
    // Processes of others cannot be seen, so cron is taken to run.
    const script = hostScript(action, lines).replace("[ -r /proc/1/comm ]", "[ -r /nowhere ]");
    if (this.read("meminfo") === undefined) return script;
    return script
      .replaceAll("/proc/meminfo", `${this.dir}/meminfo`)
      .replaceAll("/sys/fs/cgroup", `${this.dir}/cgroup`);
  }

  /** MiB. */
  putMemory(total: number, available: number): void {
    this.write("meminfo", meminfo(total, available));
  }

  run(action: Action, lines: readonly string[] = [], wait?: number): Promise<Outcome> {
    return this.start(action, lines, wait).ended;
  }

  /** What host/facts.sh tells. @param wait how long for another release, seconds */
  async facts(wait = 0): Promise<Facts> {
    return parseFacts((await this.run("facts", [], wait)).output);
  }

  /** The same read from the folder, for the hundreds of plans whose test is not about facts.sh (facts.test.ts is). */
  knownFacts(): Facts {
    const state = (file: string): string[] =>
      this.lines(`state/test/${file}`).map((line) => `${file} ${line}`);
    const role = (id: string): string =>
      /^role='(.*)'$/m.exec(this.read(`containers/${id}/about`) ?? "")?.[1] ?? "";
    return parseFacts(
      [
        `engine ${this.read("version") ?? ""}`,
        ...(this.lines("state/test/journal").length > 0 ? ["interrupted"] : []),
        "memory 2048000 512000",
        "ours 0",
        ...this.containers().map(({ id, key, state: now }) => `container ${id} ${key} ${role(id)} ${now}`),
        ...this.containers().map(({ id }) => this.detail(id)),
        ...this.networks().map(({ id, name }) => `network ${id} ${name}`),
        ...this.lines("volumes.list").map((line) => {
          const [name = "", stack = "", , made = "0"] = line.split(" ");
          return `volume ${name} ${made} ${stack}`;
        }),
        ...this.proxyFiles(),
        ...this.images().map(([tag, id]) => `image ${tag} ${id}`),
        ...state("seen"),
        ...state("current"),
        "end",
      ].join("\n"),
    );
  }

  /** Tag and ID of each, as the fake docker tells them. */
  images(): [tag: string, id: string][] {
    return this.lines("images").map((line) => {
      const [tag = "", id = `sha256:of-${tag}`] = line.split(" ");
      return [tag, id];
    });
  }

  /** Makes a container, or finds it again, as Pulumi does: never started, and anew only when it is gone. */
  createContainer(
    { spec, key }: NamedContainer,
    facts: Facts,
    passwords: (version: number) => string,
  ): CreatedContainer {
    const made = generation(facts, key);
    const id = createHash("sha256").update(`${key} ${made}`).digest("hex");
    const folder = `containers/${id}`;
    if (!fs.existsSync(join(this.dir, folder))) {
      fs.mkdirSync(join(this.dir, folder));
      const { service, role, image, health } = spec;
      const env = Object.entries(spec.env).map(([name, value]): [string, string] => {
        if ("plain" in value) return [name, value.plain];
        if ("secret" in value) return [name, value.secret];
        return [name, filledIn(value, passwords(value.version))];
      });
      this.write(`${folder}/env`, assignments(env));
      this.write(
        `${folder}/about`,
        assignments([
          ["key", key],
          ["service", service],
          ["role", role],
          ["stack", stackLabel(NAMES).replace(/^[^=]*=/, "")],
          [
            "ip",
            spec.networks.map((_, n) => `172.${18 + n}.0.${Number.parseInt(id.slice(0, 2), 16)}`).join(" "),
          ],
          ["image", image],
          ["version", image.replace(/^.*:/, "")],
          ["health", health.kind === "http" ? health.path : health.kind],
        ]),
      );
      this.write(`${folder}/state`, "created 0 0 false\n");
      this.write(`${folder}/memory`, `${spec.memory * 1024 ** 2}\n`);
      const networks = spec.networks.map((kind) => this.networkOf(kind, facts));
      this.write(`${folder}/networks`, networks.map(({ name, id: one }) => `${name}=${one}\n`).join(""));
      this.write(`${folder}/restart`, serves(role) ? "always\n" : "no\n");
    }
    return { key, id, spec, generation: made };
  }

  /** Makes a network, or finds it again, as Pulumi does: anew only when it is gone. */
  createNetwork(kind: "edge" | "data", facts: Facts): CreatedNetwork {
    const network = this.networkOf(kind, facts);
    if (!this.networks().some(({ id }) => id === network.id)) {
      this.write(
        "networks",
        `${this.read("networks") ?? ""}${network.name} ${NAMES.project}/${NAMES.stack} ${network.id}\n`,
      );
    }
    return network;
  }

  /** Makes a volume that is not there. */
  createVolume(name: string, made: number): void {
    const role = name.endsWith("-proxy") ? "proxy" : "data";
    if (!this.lines("volumes.list").some((line) => line.startsWith(`${name} `)))
      this.write(
        "volumes.list",
        `${this.read("volumes.list") ?? ""}${name} ${NAMES.project}/${NAMES.stack} ${role} ${made}\n`,
      );
  }

  private networkOf(kind: "edge" | "data", facts: Facts): CreatedNetwork {
    const made = generation(facts, `network:${kind}`);
    const name = `${NAMES.project}-${NAMES.stack}-${kind}-${made}`;
    return { kind, name, id: createHash("sha256").update(name).digest("hex"), generation: made };
  }

  networks(): { name: string; id: string }[] {
    return this.lines("networks").map((line) => {
      const [name = "", , id = name] = line.split(" ");
      return { name, id };
    });
  }

  private detail(id: string): string {
    const told = (file: string, otherwise: string): string =>
      this.read(`containers/${id}/${file}`)?.trim() ?? otherwise;
    const networks = this.lines(`containers/${id}/networks`).map((line) => `${line},`);
    return `detail ${id} ${told("health", "none")} ${told("memory", "0")} ${told("restart", "no")} ${networks.join("")}`;
  }

  private proxyFiles(): string[] {
    const proxy = this.containers().find(({ key, state }) => key.startsWith("proxy-") && state === "running");
    if (proxy === undefined) return [];
    const file = (name: string): string | undefined => this.read(`volumes/proxy/${name}`);
    const digest = (text: string | undefined): string =>
      text === undefined ? "missing" : createHash("sha256").update(text).digest("hex");
    const routes = file("routes.json");
    return [
      ...["nginx.conf", "routes.js"].map((name) => `proxy-file ${name} ${digest(file(name))}`),
      ...(routes === undefined ? [] : [`proxy-routes ${Buffer.from(routes).toString("base64")}`]),
      `proxy-site ${/^# site (\S+)/.exec(this.read(`containers/${proxy.id}/loaded`) ?? "")?.[1] ?? ""} 1`,
    ];
  }

  /** The folder of a container by its key. */
  containerOf(key: string): string {
    const found = this.containers().find((one) => one.key === key);
    if (found === undefined) throw new Error(`no container ${key}`);
    return `containers/${found.id}`;
  }

  containers(): { id: string; key: string; state: string }[] {
    return fs.readdirSync(join(this.dir, "containers")).map((id) => ({
      id,
      key: /^key='?([^'\n]+)/m.exec(this.read(`containers/${id}/about`) ?? "")?.[1] ?? "",
      state: (this.read(`containers/${id}/state`) ?? "").split(" ")[0] ?? "",
    }));
  }

  /** How a container behaves once started: see fake-docker/inside/curl and engine/lifecycle.sh. */
  behave(key: string, how: string): void {
    this.write(`${this.containerOf(key)}/acts`, `${how}\n`);
  }

  putState(key: string, state: string): void {
    this.write(`${this.containerOf(key)}/state`, `${state}\n`);
  }

  /** What would run if the machine restarted now: what the engine starts by its restart policies. */
  upAfterReboot(): Set<string> {
    const up = this.containers().filter(({ id, state }) => {
      const policy = this.read(`containers/${id}/restart`)?.trim();
      return policy === "always" ? state !== "created" : policy === "unless-stopped" && state === "running";
    });
    return new Set(up.map(({ key }) => key));
  }

  fault({ call, at = 1, happens, words }: Fault): void {
    this.write("fault", [call, at, happens, words, ""].join("\n"));
  }

  get faultHappened(): boolean {
    return !fs.existsSync(join(this.dir, "fault"));
  }

  /** The process of the newest run, and its result ("0\n", "1\n", or undefined until it ends). */
  runnerPid(): number {
    return Number(this.read(`state/test/runs/${this.newestRun()}/pid`));
  }

  lastResult(): string | undefined {
    return this.read(`state/test/runs/${this.newestRun()}/result`);
  }

  private newestRun(): string {
    const runs = join(this.dir, "state/test/runs");
    const made = (run: string): number => fs.statSync(join(runs, run, "script")).mtimeMs;
    return (
      fs
        .readdirSync(runs)
        .sort((a, b) => made(a) - made(b))
        .at(-1) ?? ""
    );
  }

  /** What runs on this host (or in its containers) just now. */
  processes(): number[] {
    return fs.readdirSync("/proc").flatMap((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(`FAKE_WORLD=${this.dir}\0`)
          ? [Number(pid)]
          : [];
      } catch {
        return [];
      }
    });
  }

  /** Whether nobody holds the release lock. */
  lockIsFree(): boolean {
    const lock = fs.statSync(join(this.dir, "state/test/lock"), { throwIfNoEntry: false });
    return lock === undefined || !fs.readFileSync("/proc/locks", "utf8").includes(`:${lock.ino} `);
  }
}

/** What the kernel says of a machine with so many MiB. */
export function meminfo(total: number, available: number): string {
  return `MemTotal: ${total * 1024} kB\nMemFree: 1 kB\nMemAvailable: ${available * 1024} kB\n`;
}

/** Shell assignments, one a line. */
function assignments(values: readonly (readonly [string, string])[]): string {
  return values.map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`).join("");
}
