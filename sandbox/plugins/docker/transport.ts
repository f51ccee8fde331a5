import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { Duplex } from "node:stream";
import { z } from "zod";

/** As many idle connections are kept as Docker's own Go client keeps, so that a burst opens as many anew. */
const kept = { keepAlive: true, maxFreeSockets: 2 };

/** Connections to an engine's Unix socket. */
export function unixAgent(path: string): Agent {
  return withConnections(() => connect(path));
}

/**
 * Connections through `ssh ... docker system dial-stdio`, one process each, with the command line of Docker's
 * connhelper: the options come before the address, so a program's own win over ~/.ssh/config.
 */
export function sshAgent(host: URL, options: string[]): Agent {
  const timeout = options.some((option) => option.includes("ConnectTimeout"))
    ? []
    : ["-o", "ConnectTimeout=30"];
  const user = host.username === "" ? [] : ["-l", decodeURIComponent(host.username)];
  const port = host.port === "" ? [] : ["-p", host.port];
  const address = host.hostname.replace(/^\[(.*)\]$/, "$1");
  const remote = ["docker", "system", "dial-stdio"];
  const args = [...timeout, ...options, "-T", ...user, ...port, "--", address, ...remote];
  return withConnections(() => new SshConnection(args));
}

function withConnections(open: () => Duplex): Agent {
  const agent = new Agent(kept);
  agent.createConnection = open;
  return agent;
}

/** The two ends of an ssh process as one stream, with what Node's HTTP agent asks of a socket. */
class SshConnection extends Duplex {
  private readonly process: ChildProcessWithoutNullStreams;
  private complaint = "";

  constructor(private readonly args: string[]) {
    super();
    this.process = spawn("ssh", args);
    this.process.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) this.process.stdout.pause();
    });
    this.process.stderr.on("data", (chunk: Buffer) => (this.complaint += chunk.toString()));
    this.process.stdin.on("error", (error) => this.destroy(error));
    this.process.on("error", (error) => this.destroy(error));
    void this.finish();
  }

  /**
   * Ends the stream when the process has ended and all that it printed was read. Its error output is not waited
   * for: a shared connection that ssh leaves in the background keeps that open.
   */
  private async finish(): Promise<void> {
    const [exit] = await Promise.all([once(this.process, "exit"), once(this.process.stdout, "end")]);
    const code = z.number().nullable().parse(exit[0]);
    if (code === 0) this.push(null);
    else setImmediate(() => this.destroy(this.failure(code)));
  }

  override _read(): void {
    this.process.stdout.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.process.stdin.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.process.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.process.kill();
    done(error);
  }

  // An idle connection must not keep the plugin from ending.
  ref(): this {
    this.process.ref();
    return this;
  }

  unref(): this {
    this.process.unref();
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  private failure(code: number | null): Error {
    return new Error(
      `command [ssh ${this.args.join(" ")}] has exited with exit status ${code ?? -1}, make sure the URL is valid, ` +
        `and Docker 18.09 or later is installed on the remote host: stderr=${this.complaint.trim()}`,
    );
  }
}
