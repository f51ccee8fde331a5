import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Box } from "../../test/e2e/lib/box";
import { checkout } from "../../test/e2e/lib/checkout";
import { pause, run } from "../../test/e2e/lib/command";
import { Crm } from "../../test/e2e/lib/crm";
import type { Contender } from "./contender";

const SERVICES = ["backend", "frontend"] as const;

/** Asked every second, which is kind to it: what waits for health waits for half of that on average. */
const health = (port: number, path: string): string => `
    healthcheck:
      test: [CMD, node, -e, "fetch('http://127.0.0.1:${port}${path}').then((r) => process.exit(r.ok ? 0 : 1))"]
      interval: 1s
      retries: 10`;

const FILE = (port: number): string => `
services:
  database:
    image: postgres:15-bookworm
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: bench, POSTGRES_DB: app }
    volumes: ["data:/var/lib/postgresql/data"]
    mem_limit: 192m
    healthcheck: { test: [CMD, pg_isready, -U, app, -h, 127.0.0.1], interval: 1s, retries: 60 }
  backend:
    build: backend
    command: sh -c "node dist/migrate.js && exec node dist/server.js"
    environment:
      { PORT: "3000", DATABASE_URL: "postgres://app:bench@database:5432/app", CRM_FAULT: "\${FAULT:-}" }
    mem_limit: 160m
    depends_on: { database: { condition: service_healthy } }${health(3000, "/api/health")}
  frontend:
    build: frontend
    environment: { PORT: "3001" }
    mem_limit: 96m${health(3001, "/health")}
  proxy:
    image: nginx:1.30-trixie
    configs: [{ source: site, target: /etc/nginx/conf.d/default.conf }]
    ports: ["0.0.0.0:${port}:80"]
    depends_on: { backend: { condition: service_healthy }, frontend: { condition: service_healthy } }
volumes: { data: {} }
configs:
  site:
    content: |
      resolver 127.0.0.11 valid=1s;
      server {
        listen 80;
        set $$backend backend:3000;
        set $$frontend frontend:3001;
        location /api/ { proxy_pass http://$$backend; }
        location / { proxy_pass http://$$frontend; }
      }
`;

/** docker compose, through one ssh connection that stays open, as its users are advised to. */
export async function compose(box: Box): Promise<Contender> {
  const program = await programOnPath();
  const folder = await mkdtemp(join(tmpdir(), "bench-compose-"));
  const tunnel = await Tunnel.open(box, folder);
  const sources = join(checkout, "examples", "crm");
  const restore = async () => {
    for (const service of SERVICES)
      await cp(join(sources, service), join(folder, service), {
        recursive: true,
        filter: (path) => !/[/\\](node_modules|dist)([/\\]|$)/.test(path),
      });
  };
  await restore();
  await writeFile(join(folder, "compose.yaml"), FILE(box.webPort));
  let fault = "";
  const ask = async (...args: string[]) => {
    const [first = "", ...rest] = program;
    return run(first, [...rest, "-p", "bench", ...args], {
      cwd: folder,
      env: { ...process.env, DOCKER_HOST: `unix://${tunnel.socket}`, FAULT: fault, DOCKER_BUILDKIT: "1" },
      timeout: 300_000,
    });
  };
  const version = (await ask("version", "--short")).trim();
  const deploy = () =>
    ask("up", "-d", "--build", "--wait", "--wait-timeout", "60").then(
      () => true,
      (error: unknown) => {
        if (!/unhealthy|exited|timeout|dependency failed/.test(String(error))) throw error;
        return false;
      },
    );
  return {
    name: `docker compose ${version}`,
    crm: new Crm(box.webPort),
    change: async (service, mark) => {
      await restore();
      const file = join(folder, service, "src", "version.ts");
      await writeFile(file, (await readFile(file, "utf8")).replace('"1.0.0"', JSON.stringify(mark)));
    },
    breakBackend: () => {
      fault = "unhealthy";
      return Promise.resolve();
    },
    revert: async () => {
      fault = "";
      await restore();
    },
    deploy,
    back: async () => {
      fault = "";
      await restore();
      return deploy();
    },
    remove: async () => {
      await ask("down", "--volumes", "--timeout", "5");
      await tunnel.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** @throws Error when there is neither `docker compose` nor `docker-compose`, or one before version 2 */
async function programOnPath(): Promise<string[]> {
  for (const program of [["docker", "compose"], ["docker-compose"]]) {
    const [first = "", ...rest] = program;
    const version = await run(first, [...rest, "version", "--short"]).catch(() => "");
    if (/^v?([2-9]|\d\d)\./.test(version)) return program;
  }
  throw new Error("no docker compose of version 2 or later on PATH (Debian's package is docker-compose)");
}

class Tunnel {
  private constructor(
    readonly socket: string,
    private readonly ssh: ChildProcess,
  ) {}

  static async open(box: Box, folder: string): Promise<Tunnel> {
    const port = box.sshPort;
    const known = join(folder, "known_hosts");
    await writeFile(known, `[127.0.0.1]:${port} ${box.hostKey}\n`);
    const socket = join(folder, "docker.sock");
    const options = [
      "BatchMode=yes",
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${known}`,
      "ExitOnForwardFailure=yes",
    ];
    const ssh = spawn(
      "ssh",
      [
        "-F",
        "/dev/null",
        "-nNT",
        ...options.flatMap((option) => ["-o", option]),
        "-L",
        `${socket}:/var/run/docker.sock`,
        "-p",
        String(port),
        "root@127.0.0.1",
      ],
      { env: { ...process.env, ...box.deployerEnv }, stdio: "inherit" },
    );
    for (let tries = 0; tries < 100 && !existsSync(socket); tries++) await pause(100);
    if (!existsSync(socket)) throw new Error("no tunnel to the box's engine");
    return new Tunnel(socket, ssh);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.ssh.once("close", resolve));
    this.ssh.kill();
    await closed;
  }
}
