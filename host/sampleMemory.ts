import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { environmentForHost } from "./askFacts";
import { hostCommand, hostScript } from "./bundle";
import type { Connection } from "./connection";

/** What a build takes on the host, seen from beside it: the host's memory in use, three times a second. */
export class MemorySampler {
  private used: number[] = [];
  private readonly end: () => void;

  /** Samples until `stop`, or until this process ends; the host's side ends with the connection, or after an hour. */
  constructor(connection: Connection, payload: readonly string[]) {
    const [program = "sh", ...rest] = connection.interpreter;
    const child = spawn(program, [...rest, hostCommand("sample")], {
      env: environmentForHost(),
      stdio: ["pipe", "pipe", "ignore"],
    });
    // A measurement that cannot be had is no reason to fail: the next build is planned as if nothing was measured.
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined).end(hostScript("sample", payload));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/^\d+$/.test(line)) this.used.push(Number(line));
    });
    // Nothing waits for it: a run that fails in the middle ends all the same.
    child.unref();
    if (child.stdout instanceof Socket) child.stdout.unref();
    const kill = (): void => void child.kill();
    process.once("exit", kill);
    this.end = () => {
      process.off("exit", kill);
      kill();
    };
  }

  /** MiB between the least and the most use since the last call; undefined when there is too little to tell. */
  take(): number | undefined {
    const { used } = this;
    this.used = used.slice(-1);
    if (used.length < 2) return undefined;
    return Math.ceil((Math.max(...used) - Math.min(...used)) / 1024);
  }

  stop(): void {
    this.end();
  }
}
