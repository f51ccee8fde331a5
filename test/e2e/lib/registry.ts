import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "./command";
import { localHost } from "./host";
import { freePort } from "./port";

export const USERNAME = "deployer";
export const PASSWORD = "open sesame";
/** Of PASSWORD, by bcrypt: the registry knows nothing else. */
const HASH = "$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW";

/** Debian's docker-registry on loopback, which lets in one user only. */
export class PrivateRegistry {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    /** As it stands in an image's name. */
    readonly name: string,
  ) {}

  static async start(): Promise<PrivateRegistry> {
    const folder = await mkdtemp(join(tmpdir(), "registry-"));
    const name = `127.0.0.1:${await freePort()}`;
    await writeFile(join(folder, "users"), `${USERNAME}:${HASH}\n`);
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: { addr: name },
      auth: { htpasswd: { realm: "team", path: join(folder, "users") } },
    };
    // YAML reads JSON.
    await writeFile(join(folder, "config.yml"), JSON.stringify(config));
    const process = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
    for (let i = 0; i < 100 && !(await answers(name)); i++) await pause(100);
    return new PrivateRegistry(process, folder, name);
  }

  /** Puts an image of this machine's engine there, and takes that name of it away from the engine again. */
  async put(image: string, as: string): Promise<void> {
    const auth = Buffer.from(`${USERNAME}:${PASSWORD}`).toString("base64");
    await writeFile(join(this.folder, "config.json"), JSON.stringify({ auths: { [this.name]: { auth } } }));
    const reference = `${this.name}/${as}`;
    await localHost.sh(
      `docker tag ${image} ${reference} && docker --config ${this.folder} push -q ${reference} && docker rmi ${reference}`,
    );
  }

  async stop(): Promise<void> {
    this.process.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function answers(name: string): Promise<boolean> {
  return fetch(`http://${name}/v2/`).then(
    ({ status }) => status === 401,
    () => false,
  );
}
