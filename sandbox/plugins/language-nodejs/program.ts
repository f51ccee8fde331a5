import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { RunResponse, type RunRequest } from "@pulumi/pulumi/proto/language_pb";

/** With this the program ends after it has itself told the engine what is wrong (@pulumi/pulumi/cmd/run). */
const exitedAfterReport = 32;

/** What Pulumi.yaml may say under runtime.options. */
interface Options {
  typescript: boolean;
  nodeargs: string[];
}

/** The programs that this host runs; more than one only where a program starts another. */
export class Programs {
  private readonly running = new Set<ChildProcess>();

  constructor(private readonly engine: string) {}

  /** Runs a program to its end. Its output goes the way of this process's own, to the engine. */
  async run(request: RunRequest): Promise<RunResponse> {
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    const options = optionsOf(request);
    const [node, ...args] = commandLine(request, directory, options, this.engine);
    const child = spawn(node, args, {
      cwd: request.getPwd(),
      env: { ...process.env, ...environment(request, options) },
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.running.add(child);
    try {
      return await response(child);
    } finally {
      this.running.delete(child);
    }
  }

  /** Interrupts what runs, as Ctrl-C in a terminal would. */
  stop(): void {
    for (const child of this.running) child.kill("SIGINT");
  }
}

function optionsOf(request: RunRequest): Options {
  const options = request.getInfo()?.getOptions()?.toJavaScript() ?? {};
  // Which package manager installs is no matter of running.
  const unknown = Object.keys(options).find(
    (name) => !["typescript", "nodeargs", "packagemanager"].includes(name),
  );
  if (unknown !== undefined) {
    throw new Error(
      `Pulumi.yaml: runtime.options.${unknown}: not implemented by the stand-in for the Node language host`,
    );
  }
  const { typescript, nodeargs } = options;
  return {
    typescript: typescript !== false,
    nodeargs: typeof nodeargs === "string" ? nodeargs.split(/\s+/).filter((argument) => argument !== "") : [],
  };
}

function commandLine(
  request: RunRequest,
  directory: string,
  options: Options,
  engine: string,
): [string, ...string[]] {
  // Resolved from the program: it must be the same copy of the SDK that the program itself imports.
  const runner = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const flags = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", request.getInfo()?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", request.getPwd()],
    ["parallel", String(request.getParallel())],
  ].flatMap(([name = "", value = ""]) => (value === "" ? [] : [`--${name}`, value]));
  const entryPoint = request.getInfo()?.getEntryPoint() ?? request.getProgram();
  return [
    process.execPath,
    ...options.nodeargs,
    runner,
    ...flags,
    ...(request.getDryrun() ? ["--dry-run"] : []),
    entryPoint === "" ? "." : entryPoint,
    ...request.getArgsList(),
  ];
}

function environment(request: RunRequest, options: Options): Record<string, string> {
  const config = Object.fromEntries(request.getConfigMap().toArray());
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: String(options.typescript),
  };
}

function response(child: ChildProcess): Promise<RunResponse> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === exitedAfterReport) resolve(new RunResponse().setBail(true));
      else if (code === 0) resolve(new RunResponse());
      else if (signal !== null) resolve(new RunResponse().setError(`Program was ended by ${signal}`));
      else resolve(new RunResponse().setError(`Program exited with non-zero exit code: ${code ?? -1}`));
    });
  });
}
