// A service as the tests of the proxy need one: it does what the request says, and tells what it saw.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { URL } from "node:url";

const { VERSION = "", PORT = "3000" } = process.env;
const counts = {};
const block = "0123456789abcdef".repeat(4096);

async function* text(bytes) {
  for (let left = bytes; left > 0; left -= block.length)
    yield left < block.length ? block.slice(0, left) : block;
}

let goOn = () => undefined;

/** Three lines, each after the first only when somebody has asked for /next. */
async function* lines(line) {
  for (let i = 0; i < 3; i += 1) {
    yield line(i);
    await new Promise((resolve) => (goOn = resolve));
  }
}

/** Reads the whole body, and tells about it. */
async function echo(request, response) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of request) {
    hash.update(part);
    bytes += part.length;
  }
  const { method, url, headers } = request;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ version: VERSION, method, url, headers, bytes, sha256: hash.digest("hex") }));
}

const paths = {
  "/echo": echo,
  "/static/echo": echo,
  // As a framework does that knows its host names, and forces https behind a proxy.
  "/strict": (request, response, query) => {
    const { host, "x-forwarded-proto": proto } = request.headers;
    response.statusCode = host !== query.get("host") ? 400 : proto !== query.get("proto") ? 301 : 200;
    response.end();
  },
  "/counts": (_, response) => response.end(JSON.stringify(counts)),
  "/slow": async (request, response, query) => {
    await pause(Number(query.get("ms")));
    await echo(request, response);
  },
  "/text": (_, response, query) => {
    const bytes = Number(query.get("bytes"));
    response.setHeader("Content-Type", query.get("type") ?? "text/plain");
    if (!query.has("chunked")) response.setHeader("Content-Length", bytes);
    return pipeline(text(bytes), response);
  },
  "/events": (_, response) => {
    response.setHeader("Content-Type", "text/event-stream");
    return pipeline(
      lines((i) => `data: ${i}\n\n`),
      response,
    );
  },
  "/rows": (_, response) => {
    response.setHeader("Content-Type", "application/json");
    return pipeline(
      lines((i) => `{"row":${i}}\n`),
      response,
    );
  },
  "/next": (_, response) => {
    goOn();
    response.end();
  },
  "/silent": () => new Promise(() => undefined),
  "/status": (_, response, query) => response.writeHead(Number(query.get("code"))).end(),
  "/break": (request) => request.socket.destroy(),
};

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://service");
  const path = pathname.replace(/^\/api/, "");
  counts[path] = (counts[path] ?? 0) + 1;
  const answer = paths[path];
  if (answer === undefined) {
    response.statusCode = 404;
    response.end(`${VERSION} has no ${path}`);
    return;
  }
  Promise.resolve(answer(request, response, searchParams)).catch(() => response.destroy());
});
// A socket as a websocket is one after its handshake: all that comes goes back, with the version in front.
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("data", (data) => socket.write(`${VERSION}: ${data}`)).on("error", () => socket.destroy());
});
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
});
server.listen(Number(PORT));
