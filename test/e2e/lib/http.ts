import { type Agent, request } from "node:http";

export interface Ask {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: unknown;
  /** false: a new connection for this request. */
  readonly agent?: Agent | false;
  /** Milliseconds until it counts as failed; 15,000 if absent. */
  readonly timeout?: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * A kept connection was closed just as the request was sent on it, and nothing was answered. HTTP allows a server that at
 * any time; clients send again what may be sent twice (RFC 9112, 9.3.1), as browsers do.
 */
export class KeptConnectionClosed extends Error {
  override readonly name = "KeptConnectionClosed";
}

/**
 * One request to 127.0.0.1 for the site `localhost`.
 * @throws KeptConnectionClosed when it may be sent again
 * @throws Error when the connection fails or the whole answer is not there in time
 */
export function ask(
  port: number,
  { method = "GET", path, body, agent = false, timeout = 15_000 }: Ask,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      Host: "localhost",
      ...(payload === undefined
        ? {}
        : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload) }),
    };
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    let answered = false;
    const lost = (error: Error & { code?: string }) => {
      const closed = error.code === "ECONNRESET" && sent.reusedSocket && !answered;
      fail(closed ? new KeptConnectionClosed(error.message, { cause: error }) : error);
    };
    sent.on("error", lost).on("response", (response) => {
      answered = true;
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (part: string) => (text += part))
        .on("error", fail)
        .on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text });
        });
    });
    sent.end(payload);
  });
}
