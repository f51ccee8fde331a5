/**
 * What this program's nginx costs a request: beside one that only passes on (`proxy_pass` to a name that it resolves), both
 * of the same image, with the same upstream, turn by turn. Prints medians, and the ratio pair by pair.
 *
 *   npm run bench:nginx [-- --rounds 3 --seconds 5]
 *
 * The requests are wrk's, of this machine: Debian's package wrk.
 */
import { parseArgs } from "node:util";
import { run } from "../test/e2e/lib/command";
import { markdownTable } from "../test/e2e/lib/table";
import { PROXY_IMAGE, Stand } from "../test/proxy/lib/stand";
import { median } from "../plan/words/median";

const CONNECTIONS = [1, 32, 256];
const HOST = "site.example";

const COMMON = `worker_processes 1;
error_log /dev/stderr crit;
events { worker_connections 4096; }
`;
const UPSTREAM = `${COMMON}http {
  access_log off;
  server { listen 3000; location / { return 200 "a page of some length, as small ones are\\n"; } }
}
`;
const PLAIN = `${COMMON}http {
  access_log off;
  resolver 127.0.0.11 valid=1s;
  server { listen 80; set $web web-one:3000; location / { proxy_pass http://$web; } }
}
`;

interface Measured {
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p99: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "5" } },
  });
  await run("wrk", ["-v"]).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new Error("wrk is not on PATH: Debian's package is wrk");
  });
  const stand = await Stand.create();
  try {
    await stand.plainNginx("web-one", UPSTREAM, 3000);
    const plain = await stand.plainNginx("plain", PLAIN, 80);
    const proxy = await stand.proxy({
      host: { address: "local" },
      domain: HOST,
      http: { port: 8080 },
      services: { web: { image: "web:1", port: 3000, route: "/", health: "/", memory: 64 } },
    });
    await proxy.route({ web: "web-one:3000" });
    const ours = await proxy.port();
    const seconds = Number(values.seconds);
    for (const port of [plain, ours]) await load(port, 1, 1);
    const rows: string[][] = [];
    for (const connections of CONNECTIONS) {
      const pairs: { plain: Measured; ours: Measured }[] = [];
      for (let round = 0; round < Number(values.rounds); round++) {
        const first = round % 2 === 0 ? plain : ours;
        const one = await load(first, connections, seconds);
        const two = await load(first === plain ? ours : plain, connections, seconds);
        pairs.push(first === plain ? { plain: one, ours: two } : { plain: two, ours: one });
      }
      const of = (who: "plain" | "ours", what: keyof Measured) =>
        median(pairs.map((pair) => pair[who][what]));
      rows.push([
        String(connections),
        of("ours", "rate").toFixed(0),
        of("plain", "rate").toFixed(0),
        median(pairs.map((pair) => pair.ours.rate / pair.plain.rate)).toFixed(2),
        of("ours", "p99").toFixed(1),
        of("plain", "p99").toFixed(1),
      ]);
    }
    console.log(`${PROXY_IMAGE ?? "the default image"}, ${values.rounds} rounds of ${seconds} s\n`);
    const head = ["connections", "this nginx, requests/s", "plain nginx, requests/s", "ratio"];
    console.log(markdownTable([...head, "p99 of this, ms", "p99 of plain, ms"], rows));
  } finally {
    await stand.remove();
  }
}

/** @throws Error when any request was not answered with success: a proxy that fails is fast. */
async function load(port: number, connections: number, seconds: number): Promise<Measured> {
  const options = ["-t", "1", "-c", String(connections), "-d", `${seconds}s`, "--latency"];
  const told = await run("wrk", [...options, "-H", `Host: ${HOST}`, `http://127.0.0.1:${port}/`]);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(told)?.[1];
  const [, figure, unit] = /99%\s+([\d.]+)(us|ms|s)\b/.exec(told) ?? [];
  if (rate === undefined || figure === undefined) throw new Error(`wrk said:\n${told}`);
  if (/Non-2xx|Socket errors/.test(told)) throw new Error(`not all were answered:\n${told}`);
  return { rate: Number(rate), p99: Number(figure) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1) };
}

void main();
