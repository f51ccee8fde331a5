import {
  type Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type RequestOptions,
} from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pause } from "../../e2e/lib/command";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent chunked, as fast as it comes. */
  readonly body?: Buffer | Readable;
  /** Kept connections; absent: a new one. */
  readonly agent?: Agent;
  /** Milliseconds until it counts as failed. */
  readonly patience?: number;
}

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/**
 * A visitor: requests to one port of 127.0.0.1.
 * @throws Error when the connection fails or the answer is not whole in time
 */
export class Visitor {
  constructor(
    readonly port: number,
    private readonly host = "site.example",
  ) {}

  get(path: string, asked: Asked = {}): Promise<Told> {
    return this.send(path, asked);
  }

  post(path: string, body: Buffer | Readable, asked: Asked = {}): Promise<Told> {
    return this.send(path, { method: "POST", ...asked, body });
  }

  send(path: string, { method = "GET", headers, body, agent, patience = 20_000 }: Asked): Promise<Told> {
    return new Promise((resolve, reject) => {
      const length = Buffer.isBuffer(body) ? { "Content-Length": String(body.length) } : {};
      const sent = request({
        ...this.options(path),
        method,
        headers: { Host: this.host, ...length, ...headers },
        agent: agent ?? false,
      });
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${patience} ms`)), patience);
      let answered = false;
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      // A server that answers and closes before it has read everything breaks the sending, not the answer.
      sent.on("error", (error) =>
        setTimeout(() => {
          if (!answered) fail(error);
        }, 50),
      );
      sent.on("response", (response) => {
        answered = true;
        const parts: Buffer[] = [];
        response
          .on("data", (data: Buffer) => parts.push(data))
          .on("error", fail)
          .on("end", () => {
            clearTimeout(timer);
            const whole = Buffer.concat(parts);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: whole,
              text: whole.toString(),
            });
          });
      });
      if (body instanceof Readable) body.on("error", fail).pipe(sent);
      else sent.end(body);
    });
  }

  /** An answer that is read as it comes. */
  open(path: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request({ ...this.options(path), headers: { Host: this.host, ...headers }, agent: false })
        .on("response", resolve)
        .on("error", reject)
        .end();
    });
  }

  /** @throws Error when a path does not answer with 200 within ten seconds */
  async untilServed(path: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const told = await this.get(path).catch(() => undefined);
      if (told?.status === 200) return;
      await pause(100);
    }
    throw new Error(`${path} cannot be reached`);
  }

  /** @throws Error when the service does not take the websocket */
  websocket(path: string): Promise<Socket> {
    const headers = {
      Host: this.host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
    };
    return new Promise((resolve, reject) => {
      const sent = request({ ...this.options(path), headers, agent: false });
      sent
        .on("upgrade", (response, socket) => {
          if (response.headers["sec-websocket-accept"] === "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") resolve(socket);
          else reject(new Error("not a websocket"));
        })
        .on("response", ({ statusCode }) => {
          reject(new Error(`answers ${statusCode}`));
        })
        .on("error", reject)
        .end();
    });
  }

  private options(path: string): RequestOptions {
    return { host: "127.0.0.1", port: this.port, path };
  }
}
