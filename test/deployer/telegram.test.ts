import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { sendTelegram } from "../../deployer/telegram";
import { tellAll } from "../../deployer/tellers";

const TOKEN = `123456:${"Aa0_-".repeat(7)}`;
const SECRET = TOKEN.slice(7);

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** What a Bot API server was asked. */
interface Asked {
  readonly url: string;
  readonly body: unknown;
}

/** A real server on this machine. */
async function serve(answer: RequestListener): Promise<{ api: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      asked.push({ url: request.url ?? "", body: JSON.parse(body) as unknown });
      answer(request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return { api: `http://127.0.0.1:${port}`, asked };
}

const json =
  (status: number, value: unknown): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };

const refused = (status: number, description: string, parameters?: object): RequestListener =>
  json(status, { ok: false, error_code: status, description, parameters });

const send = (api: string, timeout = 1): Promise<string | undefined> =>
  sendTelegram({ api, token: TOKEN, chat: "-100", timeout }, "<b>done</b>");

describe("a message to Telegram", () => {
  it("goes where it should, as HTML", async () => {
    const { api, asked } = await serve(json(200, { ok: true, result: { message_id: 1 } }));
    expect(await send(`${api}/`)).toBeUndefined();
    expect(asked).toEqual([
      {
        url: `/bot${TOKEN}/sendMessage`,
        body: {
          chat_id: "-100",
          text: "<b>done</b>",
          parse_mode: "HTML",
          link_preview_options: { is_disabled: true },
        },
      },
    ]);
  });

  it("waits once when Telegram asks for a moment", async () => {
    let count = 0;
    const { api, asked } = await serve((request, response) => {
      count += 1;
      const answer =
        count === 1 ? refused(429, "Too Many Requests", { retry_after: 1 }) : json(200, { ok: true });
      answer(request, response);
    });
    const began = performance.now();
    expect(await send(api)).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(asked.length).toBe(2);
  });

  it("and not twice", async () => {
    const { api, asked } = await serve(refused(429, "Too Many Requests", { retry_after: 0 }));
    expect(await send(api)).toBe(
      "Telegram: Too Many Requests: too many messages, the next one may go in 0 s: this one is left out",
    );
    expect(asked.length).toBe(2);
  });

  const member =
    "is notify.telegram.chat right, and may the bot write there? It must be a member, or have been written to";
  const token = "the token is not valid: pulumi config set --secret --path notify.telegram.token";

  it.each<[what: string, answer: RequestListener, warning: string]>([
    [
      "a long wait",
      refused(429, "Too Many Requests: retry after 60", { retry_after: 60 }),
      "Too Many Requests: retry after 60: too many messages, the next one may go in 60 s: this one is left out",
    ],
    [
      "a wait that is no number",
      refused(429, "Slow", { retry_after: "x" }),
      "Slow: too many messages: this one is left out",
    ],
    [
      "500",
      refused(500, "Internal Server Error"),
      "Internal Server Error: that is no fault of this stack; the next deploy tries again",
    ],
    ["401", refused(401, "Unauthorized"), `Unauthorized: ${token}`],
    ["404", refused(404, "Not Found"), `Not Found: ${token}`],
    ["400", refused(400, "Bad Request: chat not found"), `Bad Request: chat not found: ${member}`],
    [
      "403",
      refused(403, "Forbidden: bot was kicked\nfrom the group"),
      `Forbidden: bot was kicked from the group: ${member}`,
    ],
    [
      "a group that has moved",
      refused(400, "Bad Request: group chat was upgraded", { migrate_to_chat_id: -1009 }),
      "Bad Request: group chat was upgraded: set notify.telegram.chat to -1009",
    ],
    [
      "not ok in a 200",
      refused(200, "odd"),
      "odd: that is no fault of this stack; the next deploy tries again",
    ],
    [
      "no description",
      json(500, { ok: false }),
      "status 500: that is no fault of this stack; the next deploy tries again",
    ],
  ])("%s is a warning with a cure", async (_, answer, warning) => {
    const { api } = await serve(answer);
    expect(await send(api)).toBe(`Telegram: ${warning}`);
  });

  it.each<[what: string, answer: RequestListener, status: number]>([
    ["garbage", (_, response) => response.end("\u0000\u00ff<html>"), 200],
    ["another kind of JSON", json(200, ["ok"]), 200],
    ["nothing", (_, response) => response.writeHead(204).end(), 204],
    ["a page of a proxy", (_, response) => response.writeHead(502).end("<h1>Bad Gateway</h1>"), 502],
    ["a redirection", (_, response) => response.writeHead(307, { location: "/elsewhere" }).end(), 307],
    [
      "more than anybody reads",
      (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
        };
        response.on("drain", more).writeHead(200);
        more();
      },
      200,
    ],
  ])("%s in answer is a warning", async (_, answer, status) => {
    const { api, asked } = await serve(answer);
    expect(await send(api)).toBe(
      `Telegram: ${api} answers ${status}, and not as Telegram does: is notify.telegram.api right?`,
    );
    expect(asked.length).toBe(1);
  });

  it.each<[what: string, answer: RequestListener]>([
    ["nothing is answered", () => undefined],
    ["an answer does not end", (_, response) => void response.writeHead(200).write("{")],
  ])("where %s, it waits no longer than it may", async (_, answer) => {
    const { api } = await serve(answer);
    const began = performance.now();
    expect(await send(api)).toBe(
      `Telegram: no answer within 1 s: is ${api} reached from here? (notify.telegram.api, timeout)`,
    );
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it("a connection that is closed, or refused, is a warning", async () => {
    const { api } = await serve((request) => request.socket.destroy());
    expect(await send(api)).toBe(
      `Telegram: cannot reach ${api} (UND_ERR_SOCKET): see the network, or notify.telegram.api`,
    );
    server?.close();
    server?.closeAllConnections();
    expect(await send(api)).toBe(
      `Telegram: cannot reach ${api} (ECONNREFUSED): see the network, or notify.telegram.api`,
    );
  });

  it("never tells the token, even when it is sent back", async () => {
    const echoes: RequestListener[] = [
      (request, response) => {
        refused(400, `no such path ${request.url ?? ""}`)(request, response);
      },
      (request, response) => {
        refused(400, `no such bot ${SECRET} ${encodeURIComponent(TOKEN)}`)(request, response);
      },
      (request, response) => response.writeHead(404).end(`Cannot POST ${request.url ?? ""}`),
      (request, response) => response.writeHead(302, { location: request.url }).end(),
    ];
    for (const echo of echoes) {
      const { api } = await serve(echo);
      const warning = await send(api);
      expect(warning).toMatch(/^Telegram: /);
      expect(warning).not.toContain(SECRET);
      server?.closeAllConnections();
      server?.close();
    }
  });
});

it("a teller that breaks is a warning, and the others are told", async () => {
  const told: string[] = [];
  const problems = await tellAll(
    [
      () => Promise.reject(new TypeError(TOKEN)),
      (event) => {
        told.push(event.project);
        return Promise.resolve(undefined);
      },
    ],
    { kind: "success", project: "shop", stack: "prod", by: "ada", seconds: 1 },
  );
  expect([problems, told]).toEqual([["nobody was told: TypeError in this program"], ["shop"]]);
});
