import { request, type Agent, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { buffer, text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

/** The newest API version whose behaviour the stand-in knows; an older engine's own is used with it. */
const newestApi = "1.47";

export interface Request {
  query?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, a tar archive. */
  archive?: Readable;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** What an engine refused, with the HTTP status. The text is what every Docker client shows. */
export class DockerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(`Error response from daemon: ${message}`);
  }
}

/** The Docker Engine API over one kind of connection. */
export class DockerEngine {
  private version: Promise<string> | undefined;

  constructor(private readonly agent: Agent) {}

  /** The answer, read to its end and parsed; undefined where it has no content. Throws DockerError. */
  async json<T>(schema: z.ZodType<T>, method: string, path: string, options: Request = {}): Promise<T> {
    return schema.parse(JSON.parse(await this.text(method, path, options)));
  }

  /** The answer as text, "" where there is none. Throws DockerError. */
  async text(method: string, path: string, options: Request = {}): Promise<string> {
    return await text(await this.open(method, path, options));
  }

  /** The answer as it is. Throws DockerError. */
  async bytes(method: string, path: string, options: Request = {}): Promise<Buffer> {
    return await buffer(await this.open(method, path, options));
  }

  /** The objects of an answer that comes piece by piece, a JSON object a line. Throws DockerError. */
  async *messages<T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    options: Request,
  ): AsyncGenerator<T> {
    const answer = await this.open(method, path, options);
    for await (const line of createInterface({ input: answer })) {
      if (line !== "") yield schema.parse(JSON.parse(line));
    }
  }

  /** Like json, but undefined when the engine has no such thing. */
  async find<T>(schema: z.ZodType<T>, path: string, options: Request = {}): Promise<T | undefined> {
    try {
      return await this.json(schema, "GET", path, options);
    } catch (error) {
      if (error instanceof DockerError && error.status === 404) return undefined;
      throw error;
    }
  }

  private async open(method: string, path: string, options: Request): Promise<IncomingMessage> {
    this.version ??= this.negotiate();
    // A failed ping is tried again by the next request.
    this.version.catch(() => (this.version = undefined));
    return await this.send(method, `/v${await this.version}${path}`, options);
  }

  private async negotiate(): Promise<string> {
    const answer = await this.send("GET", "/_ping", {});
    await text(answer);
    const offered = String(answer.headers["api-version"] ?? newestApi);
    return minor(offered) < minor(newestApi) ? offered : newestApi;
  }

  private async send(method: string, path: string, options: Request): Promise<IncomingMessage> {
    const query = new URLSearchParams(options.query).toString();
    const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        agent: this.agent,
        host: "docker.example.com",
        method,
        path: query === "" ? path : `${path}?${query}`,
        headers: {
          ...options.headers,
          ...(body ? { "Content-Type": "application/json", "Content-Length": body.length } : {}),
          ...(options.archive ? { "Content-Type": "application/x-tar" } : {}),
        },
        ...(options.signal ? { signal: options.signal } : {}),
      });
      sent.on("response", resolve);
      sent.on("error", (error) => {
        reject(new Error(`error during connect: ${method} ${path}: ${error.message}`));
      });
      if (options.archive) pipeline(options.archive, sent).catch(reject);
      else sent.end(body);
    });
    const status = answer.statusCode ?? 0;
    if (status < 400) return answer;
    throw new DockerError(status, messageIn(await text(answer)));
  }
}

function minor(version: string): number {
  return Number(version.split(".")[1] ?? 0);
}

function messageIn(body: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(body)).message;
  } catch {
    return body.trim();
  }
}
