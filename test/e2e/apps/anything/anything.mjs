#!/usr/bin/env node
// A server, a worker or a migration, by what it is told: it answers with what it was given.
import { createServer } from "node:http";

const words = process.argv.slice(2);
if (words.includes("migration:run")) {
  console.log(`migrated ${new URL(process.env.DATABASE_URL).pathname}`);
  process.exit(0);
}
const server = createServer((request, response) => {
  response.end(JSON.stringify({ path: request.url, words, env: process.env }));
});
server.listen(Number(process.env.PORT ?? 3000));
process.on("SIGTERM", () => process.exit(0));
