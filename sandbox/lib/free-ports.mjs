// Prints so many free TCP ports of 127.0.0.1, one a line. They lie below the range that the kernel gives to
// outgoing connections, so that a box that is switched off keeps its ports. A second argument is one that is taken if it
// is free.
import console from "node:console";
import { createServer } from "node:net";
import process from "node:process";

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const wanted = Number(process.argv[2]);
const ports = new Set();
const favourite = Number(process.argv[3] ?? 0);
if (favourite > 0 && (await isFree(favourite))) ports.add(favourite);
for (let tries = 0; ports.size < wanted && tries < 1000; tries++) {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  if (await isFree(port)) ports.add(port);
}
if (ports.size < wanted) throw new Error("no free ports between 20000 and 29999");
console.log([...ports].join("\n"));
