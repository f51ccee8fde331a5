import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { add, entries } from "./store.mjs";

const server = createServer(async (request, response) => {
  const json = (value) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(value));
  if (request.url === "/health") return response.end("ok");
  if (request.url === "/digest")
    return json(JSON.parse(await readFile("/data/digest.json", "utf8").catch(() => "null")));
  if (request.url === "/entries" && request.method === "POST") {
    await add((await text(request)).slice(0, 1000));
    return response.writeHead(201).end();
  }
  if (request.url === "/") return json(await entries());
  response.writeHead(404).end();
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
