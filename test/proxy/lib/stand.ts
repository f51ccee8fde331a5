import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routesScript } from "../../../host/bundle";
import { proxySpec } from "../../../plan/wanted/container";
import { DOORS, visitorPorts } from "../../../plan/wanted/doors";
import { routesFile, siteConfig, siteDigest } from "../../../plan/site/nginx";
import { pause, run } from "../../e2e/lib/command";
import { LEAST, read, type Values } from "../../plan/support/config";

/** Everything that a stand makes bears this label, with the process that made it. */
const LABEL = "proxy-test";
const SERVICE_IMAGE = "node:22-bookworm-slim";
/** Another nginx than the default: the oldest that is supported runs the same tests. */
export const { PROXY_IMAGE } = process.env;
const STATE = "/etc/nginx/state";
const SERVER = join(import.meta.dirname, "..", "service", "server.mjs");

const docker = (...args: string[]): Promise<string> => run("docker", args).then((text) => text.trim());
/** Runs a script with the runner's own functions (host/lib), as on the host. */
async function onHost(script: string, ...args: string[]): Promise<string> {
  const library = join(import.meta.dirname, "..", "..", "..", "host", "lib");
  return run("sh", [
    "-c",
    `for part in base health proxy; do . ${library}/$part.sh; done; ${script}`,
    "sh",
    ...args,
  ]);
}
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/**
 * A network with a real nginx, set up as a release sets it up, and small services behind it. Containers are called
 * `<service>-<version>`, as routes.json has them.
 */
export class Stand {
  private readonly label = `${LABEL}=${process.pid}`;
  private readonly name = `proxy-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  private readonly ids = new Map<string, string>();
  private folder = "";

  static async create(): Promise<Stand> {
    await removeLeftovers();
    const stand = new Stand();
    stand.folder = await mkdtemp(join(tmpdir(), "proxy-test-"));
    await docker("network", "create", "--label", stand.label, stand.name);
    await docker("volume", "create", "--label", stand.label, stand.name);
    return stand;
  }

  /** Starts a version of a service and waits until it listens. */
  async service(key: string, port = 3000): Promise<void> {
    const version = key.replace(/^[a-z]+-/, "");
    const id = await docker(
      ...["create", "--init", "--label", this.label, "--network", this.name, "--network-alias", key],
      ...["--memory", "128m", "-e", `VERSION=${version}`, "-e", `PORT=${port}`],
      ...[SERVICE_IMAGE, "node", "/server.mjs"],
    );
    this.ids.set(key, id);
    await docker("cp", SERVER, `${id}:/server.mjs`);
    await docker("start", id);
  }

  /**
   * An nginx of the proxy's image with a configuration of its own, called by its key.
   * @param port its own, published on 127.0.0.1
   * @returns the port of 127.0.0.1
   */
  async plainNginx(key: string, config: string, port: number): Promise<number> {
    const image = PROXY_IMAGE ?? proxySpec(read(LEAST), { project: "proxy", stack: "test" }).image;
    const id = await docker(
      ...["create", "--init", "--label", this.label, "--network", this.name, "--network-alias", key],
      ...["-p", `127.0.0.1::${port}`, "--entrypoint", "nginx", image, "-g", "daemon off;"],
    );
    this.ids.set(key, id);
    const file = join(this.folder, `${key}.conf`);
    await writeFile(file, config, { mode: 0o644 });
    await docker("cp", file, `${id}:/etc/nginx/nginx.conf`);
    await docker("start", id);
    const [first = ""] = lines(await docker("port", id, `${port}/tcp`));
    return Number(first.split(":").at(-1));
  }

  /** nginx with a site, from the container's description that a release makes it by. */
  async proxy(values: Values, script = routesScript()): Promise<Proxy> {
    const config = read(values);
    const spec = proxySpec(config, { project: "proxy", stack: "test" });
    const [program = "", ...command] = spec.entrypoint ?? [];
    const ports = spec.ports.flatMap(({ internal }) => ["-p", `127.0.0.1::${internal}`]);
    const memory = `${spec.memory}m`;
    const id = await docker(
      ...["create", "--init", "--label", this.label, "--network", this.name],
      ...spec.aliases.flatMap((alias) => ["--network-alias", alias]),
      ...["--memory", memory, "--memory-swap", memory, "--user", spec.user, "--read-only"],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
      ...spec.tmpfs.flatMap((path) => ["--tmpfs", path]),
      ...spec.mounts.flatMap(({ type, source, target }) => [
        ...["-v", type === "volume" ? `${this.name}:${target}` : `${source}:${target}:ro`],
      ]),
      ...[...ports, "--entrypoint", program, PROXY_IMAGE ?? spec.image, ...command],
    );
    const proxy = new Proxy(id, this.folder, visitorPorts(config));
    this.ids.set("proxy", id);
    await proxy.put("routes.js", script);
    await proxy.put("nginx.conf", siteConfig(config, script));
    await proxy.put("routes.json", routesFile({}));
    await proxy.start();
    await proxy.ready(siteDigest(siteConfig(config, script)));
    return proxy;
  }

  async stop(key: string, grace = 1): Promise<void> {
    await docker("stop", "-t", String(grace), this.idOf(key));
  }

  async start(key: string): Promise<void> {
    await docker("start", this.idOf(key));
  }

  /** Runs a program in the container of a service, as the service itself could. */
  inside(key: string, ...command: string[]): Promise<string> {
    return docker("exec", this.idOf(key), ...command);
  }

  /** How many requests the proxy has open to a service: as the runner counts them when it drains. */
  async connectionsTo(key: string, port = 3000): Promise<number> {
    return Number(
      await onHost('proxy=$1; connections_to "$2" "$3"', this.idOf("proxy"), this.idOf(key), String(port)),
    );
  }

  async remove(): Promise<void> {
    await removeLabelled(this.label);
    await rm(this.folder, { recursive: true, force: true });
  }

  private idOf(key: string): string {
    const id = this.ids.get(key);
    if (id === undefined) throw new Error(`no container ${key}`);
    return id;
  }
}

/** nginx in its container: files are put as the runner on the host puts them. */
export class Proxy {
  constructor(
    readonly id: string,
    private readonly folder: string,
    /** Its own ports. */
    private readonly inside: { readonly http: number; readonly https: number },
  ) {}

  /** The port of 127.0.0.1 by which visitors come. */
  async port(scheme: "http" | "https" = "http"): Promise<number> {
    const [first = ""] = lines(await docker("port", this.id, `${this.inside[scheme]}/tcp`));
    return Number(first.split(":").at(-1));
  }

  /** Before its start: a file of its volume. */
  async put(name: string, text: string): Promise<void> {
    await docker("cp", await this.file(name, text), `${this.id}:${STATE}/${name}`);
  }

  async start(): Promise<void> {
    await docker("start", this.id);
  }

  /** From now on requests go there. */
  async route(...routes: Parameters<typeof routesFile>): Promise<void> {
    await this.runner("install_routes", await this.file("routes.json", routesFile(...routes)));
  }

  /** Another site, loaded without a restart. */
  async reload(values: Values, script = routesScript()): Promise<void> {
    await this.runner("proxy_put routes.js", await this.file("routes.js", script));
    await this.runner("install_site", await this.file("nginx.conf", siteConfig(read(values), script)));
  }

  /** What was installed last, with other words in it. */
  async edit(name: "routes.json", change: (text: string) => string): Promise<void> {
    const before = await readFile(join(this.folder, name), "utf8");
    const after = change(before);
    if (after === before) throw new Error(`${name} has nothing to change: ${before}`);
    await this.runner("install_routes", await this.file(name, after));
  }

  /** @throws Error when nginx does not answer with this site within ten seconds */
  async ready(site: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      // It tells its worker's process too.
      const [name] = (
        await this.curl("--unix-socket", DOORS.ready, "http://localhost/site").catch(() => "")
      ).split(" ");
      if (name === site) return;
      await pause(100);
    }
    throw new Error(`nginx does not serve:\n${await this.log()}`);
  }

  /**
   * The runner's own question after health, host/lib/health.sh.
   * @returns what it says of one that is not healthy
   */
  async asked(url: string, origin: string, socket = ""): Promise<string> {
    const script = 'timeout=1; poll_in "$1" "$http_poll" "$2" "$3" "$4" || :';
    return (await onHost(script, this.id, url, origin, socket)).trim();
  }

  /** A function of the runner's, host/lib/proxy.sh, as it calls it. */
  private async runner(name: string, file: string): Promise<void> {
    const folder = join(this.folder, "state");
    await mkdir(join(folder, "proxy"), { recursive: true });
    await onHost(`proxy=$1 proxy_runs=yes state=$2; ${name} "$3"`, this.id, folder, file);
  }

  private async file(name: string, text: string): Promise<string> {
    const file = join(this.folder, name);
    // Another file each time, as the runner writes it: what is installed is linked to it.
    await rm(file, { force: true });
    await writeFile(file, text, { mode: 0o644 });
    return file;
  }

  /** From inside its container, where the doors are that no visitor reaches. */
  curl(...args: string[]): Promise<string> {
    return docker("exec", this.id, "curl", "-s", "-m", "10", ...args);
  }

  async log(): Promise<string> {
    return run("sh", ["-c", `docker logs ${this.id} 2>&1`]);
  }

  /** What it wrote to its standard output alone. */
  async output(): Promise<string> {
    return run("sh", ["-c", `docker logs ${this.id} 2>/dev/null`]);
  }

  /** MiB: what its memory limit counts, without page cache that can be given back. */
  async memory(): Promise<number> {
    // Of cgroup v1, else of v2.
    const [used = 0, ...cache] = lines(
      await docker(
        ...["exec", this.id, "sh", "-c"],
        "cd /sys/fs/cgroup/memory 2>/dev/null || cd /sys/fs/cgroup; cat memory.usage_in_bytes memory.current 2>/dev/null; " +
          "sed -En 's/^(active_file|inactive_file) //p' memory.stat",
      ),
    ).map(Number);
    return cache.reduce((left, part) => left - part, used) / 1024 / 1024;
  }

  /** What lies in its only writable places. */
  async written(): Promise<string> {
    return docker("exec", this.id, "sh", "-c", "find /tmp -xdev -type f -size +0");
  }

  /** How often a process of it was killed for memory, or it was restarted. */
  async killed(): Promise<boolean> {
    const state = await docker(
      "inspect",
      "-f",
      "{{.State.OOMKilled}} {{.State.Running}} {{.RestartCount}}",
      this.id,
    );
    return state !== "false true 0" || /exited on signal 9/.test(await this.log());
  }
}

/** A run that was killed could not take back what it made. */
async function removeLeftovers(): Promise<void> {
  const found = lines(
    await docker("ps", "-aq", "--filter", `label=${LABEL}`, "--format", `{{.Label "${LABEL}"}}`),
  );
  const networks = lines(
    await docker("network", "ls", "--filter", `label=${LABEL}`, "--format", `{{.Label "${LABEL}"}}`),
  );
  for (const owner of new Set([...found, ...networks])) {
    if (!isAlive(Number(owner))) await removeLabelled(`${LABEL}=${owner}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function removeLabelled(label: string): Promise<void> {
  const containers = lines(await docker("ps", "-aq", "--filter", `label=${label}`));
  if (containers.length > 0) await docker("rm", "-f", "-v", ...containers);
  for (const kind of ["network", "volume"]) {
    const found = lines(await docker(kind, "ls", "-q", "--filter", `label=${label}`));
    if (found.length > 0) await docker(kind, "rm", ...found);
  }
}
