// An app with habits, each by an environment variable.
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { hostname } = require("node:os");

const {
  DATA,
  ETC,
  LISTEN = "0.0.0.0",
  PORT = "3000",
  LISTEN_PORT = PORT,
  NOISE,
  READY_AFTER = "0",
} = process.env;

if (DATA) appendFileSync(`${DATA}/starts`, "started\n");
if (ETC) writeFileSync(ETC, "x");
if (NOISE) console.error("ERROR no way to the queue at queue.example:5672");
setTimeout(() => writeFileSync("/tmp/ready", ""), Number(READY_AFTER) * 1000);

createServer((request, response) => {
  if (NOISE) console.log(`${new Date().toISOString()} "GET ${request.url}" 503 ${Math.random()} ms`);
  response.statusCode = NOISE ? 503 : 200;
  response.end(
    JSON.stringify({
      host: hostname(),
      user: `${process.getuid()}:${process.getgid()}`,
      starts:
        DATA && existsSync(`${DATA}/starts`)
          ? readFileSync(`${DATA}/starts`, "utf8").split("\n").length - 1
          : 0,
    }),
  );
}).listen(Number(LISTEN_PORT), LISTEN);
process.on("SIGTERM", () => process.exit(0));
