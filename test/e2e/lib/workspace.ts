import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { parseDocument } from "yaml";
import { checkout } from "./checkout";

/** What a clone holds, as far as `pulumi up` reads it. */
const PARTS = [
  "start.cjs",
  "loader",
  "index.ts",
  "Pulumi.yaml",
  "package.json",
  "tsconfig.json",
  "components",
  "plan",
  "host",
  "ops",
  "deployer",
];

export type Setting = string | number | boolean | readonly Setting[] | { readonly [key: string]: Setting };

/** A copy of the project that a deployer works in: its sources and its config are changed like a person would. */
export class Workspace {
  private config = "";
  private readonly sources = new Map<string, string>();

  private constructor(
    readonly folder: string,
    readonly stack: string,
  ) {}

  /**
   * @param source the folder that is deployed
   * @param config what the stack's config begins as
   */
  static async create(
    stack: string,
    source = "examples/crm",
    config = "Pulumi.local.yaml",
  ): Promise<Workspace> {
    const folder = await mkdtemp(join(tmpdir(), "deploy-e2e-"));
    const workspace = new Workspace(folder, stack);
    for (const part of [...PARTS, source]) await workspace.take(part);
    await symlink(join(checkout, "node_modules"), join(folder, "node_modules"));
    await mkdir(workspace.state);
    await mkdir(join(folder, "events"));
    await cp(join(checkout, config), workspace.configFile);
    await workspace.set("host.log", workspace.deployLog);
    return workspace;
  }

  /** Copies another folder of the project. */
  async take(source: string): Promise<void> {
    await cp(join(checkout, source), join(this.folder, source), {
      recursive: true,
      filter: (path) => !isMade(path),
    });
  }

  /** The folder of the state backend. */
  get state(): string {
    return join(this.folder, "state");
  }

  /** Of this machine as a host: /var/log is not a test's. */
  get deployLog(): string {
    return join(this.folder, "deploy.log");
  }

  private get configFile(): string {
    return join(this.folder, `Pulumi.${this.stack}.yaml`);
  }

  /** From here on `restore` comes back to this config. */
  async keepConfig(): Promise<void> {
    this.config = await readFile(this.configFile, "utf8");
  }

  /** Sets one value of the stack's config, such as `services.backend.env.CRM_FAULT`; undefined takes it out. */
  async set(path: string, value: Setting | undefined): Promise<void> {
    // No block scalars: readers differ in what a text of line breaks alone is then.
    const document = parseDocument(await readFile(this.configFile, "utf8"));
    const [first = "", ...rest] = path.split(".");
    const at = ["config", `artsvao:${first}`, ...rest];
    if (value === undefined) document.deleteIn(at);
    else document.setIn(at, document.createNode(value));
    // YAML has these as escapes only; the writer leaves them as they are, in double quotes.
    const text = document
      .toString({ lineWidth: 0 })
      .replaceAll(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped);
    await writeFile(this.configFile, text);
  }

  /** @throws Error when `from` does not stand in the file: a change that changes nothing proves nothing. */
  async replace(file: string, from: string, to: string): Promise<void> {
    const path = join(this.folder, file);
    const text = await readFile(path, "utf8");
    if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
    if (!this.sources.has(path)) this.sources.set(path, text);
    await writeFile(path, text.replace(from, to));
  }

  /** Reverts every change of sources and config. */
  async restore(): Promise<void> {
    for (const [path, text] of this.sources) await writeFile(path, text);
    this.sources.clear();
    await writeFile(this.configFile, this.config);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Made from sources: a clone does not have it. */
function isMade(path: string): boolean {
  return path.split(sep).some((part) => part === "node_modules" || part === "dist");
}
