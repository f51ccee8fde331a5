import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { z } from "zod";

const sent = z.object({ chat_id: z.string(), text: z.string(), parse_mode: z.literal("HTML") });

/** A Bot API server on this machine: keeps what it is sent. */
export class BotApi {
  /** The texts since `take` was called last. */
  private texts: string[] = [];
  /** Whether it leaves every request without an answer. */
  hangs = false;

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(token: string, chat: string): Promise<BotApi> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const api = new BotApi(server, `http://127.0.0.1:${port}`);
    server.on("request", (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        const { chat_id, text } = sent.parse(JSON.parse(body));
        const right = request.url === `/bot${token}/sendMessage` && chat_id === chat;
        api.texts.push(right ? text : `a wrong request: ${request.url ?? ""} ${chat_id}`);
        if (api.hangs) return;
        response.setHeader("content-type", "application/json").end('{"ok":true,"result":{"message_id":1}}');
      });
    });
    return api;
  }

  take(): string[] {
    const texts = this.texts;
    this.texts = [];
    return texts;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
