import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { run } from "../e2e/lib/command";
import type { Values } from "../plan/support/config";
import { Visitor } from "./lib/client";
import { type Proxy, Stand } from "./lib/stand";

const echoed = z.object({
  version: z.string(),
  bytes: z.number(),
  headers: z.record(z.string(), z.string()),
});

describe("tls, through a real nginx", () => {
  let stand: Stand;
  let proxy: Proxy;
  let plain: Visitor;
  let port = 0;
  let folder = "";
  let ca = "";

  beforeAll(async () => {
    folder = await certificateFolder();
    ca = await readFile(join(folder, "site.pem"), "utf8");
    const site: Values = {
      host: { address: "local" },
      domain: "site.example",
      tls: { folder, certificate: "site.pem", key: "site.key", port: 8443 },
      services: { app: { image: "app:1", port: 3000, route: "/", health: "/echo", memory: 64 } },
    };
    stand = await Stand.create();
    await Promise.all([stand.service("app-one"), stand.service("app-two")]);
    proxy = await stand.proxy(site);
    plain = new Visitor(await proxy.port());
    port = await proxy.port("https");
    await proxy.route({ app: "app-one:3000" });
    for (let tries = 0; (await get("/echo")).status !== 200; tries += 1) {
      if (tries > 100) throw new Error("the service cannot be reached");
    }
  });
  afterAll(async () => {
    await stand.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const options = () => ({ host: "127.0.0.1", port, ca, servername: "site.example" });
  const get = (path: string, host = "site.example"): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ keepAlive: false });
      request({ ...options(), path, agent, headers: { Host: host } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      })
        .on("error", reject)
        .end();
    });

  it("leads a visitor there, and answers the challenge of a certificate's authority without", async () => {
    const told = await plain.get("/some/path?a=b");
    expect([told.status, told.headers.location]).toEqual([308, "https://site.example:8443/some/path?a=b"]);
    expect((await plain.get("/.well-known/acme-challenge/token")).text).toBe("proof\n");
  });

  it("tells the service that the visitor came by https", async () => {
    const { status, text } = await get("/echo");
    expect(status).toBe(200);
    expect(echoed.parse(JSON.parse(text)).headers).toMatchObject({
      "x-forwarded-proto": "https",
      "x-forwarded-port": "8443",
    });
    expect((await get("/echo", "other.example")).status).toBe(404);
  });

  it.each<[SecureVersion, boolean]>([
    ["TLSv1.1", false],
    ["TLSv1.2", true],
    ["TLSv1.3", true],
  ])("speaks %s: %s", async (version, spoken) => {
    const only = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" };
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect({ ...options(), ...only, ALPNProtocols: ["h2"] });
      socket.on("secureConnect", () => {
        resolve(`${socket.getProtocol() ?? ""} ${String(socket.alpnProtocol)}`);
        socket.destroy();
      });
      socket.on("error", () => {
        resolve("refused");
      });
    });
    expect(outcome).toBe(spoken ? `${version} h2` : "refused");
  });

  it("speaks HTTP/2, with bodies that wait while a service is exchanged", async () => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: "site.example" });
    session.on("error", () => undefined);
    const first = await post(session, Buffer.alloc(100_000));
    expect([first.status, first.seen.version, first.seen.bytes]).toEqual([200, "one", 100_000]);
    await proxy.route({ app: "hold" });
    const waiting = [1_000, 300_000, 5_000_000].map((bytes) => post(session, Buffer.alloc(bytes)));
    expect(await proxy.written()).toBe("/tmp/nginx.pid");
    await proxy.route({ app: "app-two:3000" });
    const told = await Promise.all(waiting);
    expect(told.map(({ status, seen }) => [status, seen.version, seen.bytes])).toEqual([
      [200, "two", 1_000],
      [200, "two", 300_000],
      [200, "two", 5_000_000],
    ]);
    session.close();
  });
});

/** One stream of a connection. */
function post(
  session: ClientHttp2Session,
  body: Buffer,
): Promise<{ status: number; seen: z.infer<typeof echoed> }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": "/echo", ":authority": "site.example" });
    let status = 0;
    let text = "";
    stream
      .setEncoding("utf8")
      .on("response", (headers) => (status = headers[":status"] ?? 0))
      .on("data", (part: string) => (text += part))
      .on("error", reject)
      .on("end", () => {
        if (status !== 200) reject(new Error(`answers ${status}: ${text}`));
        else resolve({ status, seen: echoed.parse(JSON.parse(text)) });
      })
      .end(body);
  });
}

/** A certificate that signs itself, and a proof for its authority, readable for nginx's user. */
async function certificateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "proxy-test-tls-"));
  await mkdir(join(folder, "acme/.well-known/acme-challenge"), { recursive: true });
  await run("sh", [
    "-c",
    `cd "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \\
       -keyout site.key -out site.pem -subj /CN=site.example -addext subjectAltName=DNS:site.example 2>&1 &&
     echo proof >acme/.well-known/acme-challenge/token && chmod -R a+rX .`,
    "sh",
    folder,
  ]);
  return folder;
}
