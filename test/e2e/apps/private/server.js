const { createServer } = require("node:http");

createServer((_, response) => response.end("ok")).listen(3000, "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
