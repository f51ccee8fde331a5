import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause, run } from "./lib/command";
import { Example } from "./lib/example";
import { expectFailure, expectSuccess, expectUntouched } from "./lib/expect";
import { freePort } from "./lib/port";

/** Stacks of services other than the CRM, side by side on this machine's engine. */
describe("the examples, each by its config alone", () => {
  const examples: Example[] = [];
  let bakery: Example;
  let press: Example;
  let books: Example;
  let cakes: Example;

  beforeAll(async () => {
    const of = async (name: string) => {
      const example = await Example.of(name);
      examples.push(example);
      return example;
    };
    bakery = await of("static-site");
    press = await of("worker-redis");
    books = await of("python-api");
    cakes = await of("two-hosts");
  });

  it("a static site: pages, and what is missing", async () => {
    await deploy(bakery, ["proxy", "site"]);
    await expectBakery(bakery);
    const findUs = await bakery.fetch("/find-us");
    expect([findUs.status, await findUs.text()]).toEqual([200, expect.stringContaining("the pier")]);
    const style = await bakery.fetch("/assets/style.css");
    expect([style.status, style.headers.get("content-type")]).toEqual([200, "text/css"]);
    const missing = await bakery.fetch("/no-such-page");
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining("Not here")]);
  });

  const upload = randomBytes(1024).toString("hex").repeat(50);
  let packed = "";

  it("a worker with Redis: a job goes through the queue, its result lies in a volume", async () => {
    await deploy(press, ["proxy", "queue", "web", "worker"]);
    packed = await submit(press, upload);
    expect(await awaitPacked(press, packed)).toBe(upload);
  });

  it("a worker with Redis, all three replaced: queue and results are kept, the new worker works", async () => {
    const before = await press.running();
    for (const [service, memory] of Object.entries({ web: 100, worker: 200, queue: 52 }))
      await press.workspace.set(`services.${service}.memory`, memory);
    expectSuccess(await press.pulumi.up());
    const after = await press.running();
    expect(
      Object.keys(after)
        .filter((service) => after[service]?.id !== before[service]?.id)
        .sort(),
    ).toEqual(["queue", "web", "worker"]);
    expect(await resultOf(press, packed)).toBe(upload);
    expect(await awaitPacked(press, await submit(press, "new"))).toBe("new");
  });

  it("an API in Python: rows in PostgreSQL", async () => {
    await deploy(books, ["api", "database", "proxy"]);
    await expectBooks(books, []);
    const added = await books.fetch("/books", json({ title: "Пиковая дама" }));
    expect(added.status).toBe(201);
    expect((await books.fetch("/books/1/finished", { method: "POST" })).status).toBe(200);
    expect((await books.fetch("/books", json({ title: "" }))).status).toBe(400);
    await expectBooks(books, [{ id: 1, title: "Пиковая дама", finished: true }]);
  });

  it("NestJS and nginx's own image, under two host names: each its own user, headers, redirects", async () => {
    expectSuccess(await cakes.pulumi.up());
    const { api, site } = await cakes.running();
    expect([api?.hardened.user, site?.hardened.user]).toEqual(["nestjs", ""]);
    const ask = (host: string, path: string) => cakes.ask(host, path);
    const pages = await ask("localhost", "/");
    expect([pages.status, pages.text]).toEqual([200, expect.stringContaining("<h1>Cake shop</h1>")]);
    const list = await ask("api.localhost", "/cakes");
    expect([list.status, list.text, list.headers["cache-control"]]).toEqual([
      200,
      expect.stringContaining("Medovik"),
      "no-store",
    ]);
    expect((await ask("localhost", "/cakes")).status).toBe(404);
    expect((await ask("localhost", "/assets/shop.3f2a1c.css")).headers["cache-control"]).toMatch(
      /max-age=31536000/,
    );
    const moved = await ask("www.localhost", "/cakes?x=1");
    expect([moved.status, moved.headers.location]).toEqual([
      301,
      expect.stringMatching(/^http:\/\/localhost:\d+\/cakes\?x=1$/),
    ]);
    expect((await cakes.pulumi.up()).changes).toEqual([]);
  });

  it("Django with ALLOWED_HOSTS and forced https: health needs no exception, a form works, http is sent on", async () => {
    const todo = await Example.of("django");
    examples.push(todo);
    const folder = await mkdtemp(join(tmpdir(), "certificate-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    await run("openssl", [...request, "-keyout", key, "-out", certificate]);
    await run("chmod", ["-R", "a+rX", folder]);
    const port = await freePort();
    await todo.workspace.set("tls.folder", folder);
    await todo.workspace.set("tls.port", port);
    const site = `https://localhost:${port}`;
    await todo.workspace.set("services.todo.env.TRUSTED_ORIGINS", site);
    await todo.pulumi.setSecret("identityKey", randomBytes(32).toString("hex"));
    await todo.pulumi.setSecret("services.todo.secrets.SECRET_KEY", randomBytes(32).toString("hex"));
    await deploy(todo, ["database", "proxy", "todo"]);

    // A browser's part: cookies, the form's token, where it comes from.
    const jar = join(folder, "cookies");
    const curl = (...args: string[]) =>
      run("curl", ["-sS", "-m", "15", "--cacert", certificate, "-b", jar, "-c", jar, ...args]);
    const page = await curl(site);
    const [, token = ""] = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(page) ?? [];
    const form = [
      "--data-urlencode",
      `csrfmiddlewaretoken=${token}`,
      "--data-urlencode",
      "title=Купить хлеб",
    ];
    await curl("-e", site, ...form, `${site}/`);
    expect(await curl(site)).toContain("<li>Купить хлеб</li>");
    const moved = await todo.ask("localhost", "/admin/?x=1");
    expect([moved.status, moved.headers.location]).toEqual([308, `${site}/admin/?x=1`]);
    const [, style = ""] =
      /href="(\/static\/admin\/css\/base\.\w+\.css)"/.exec(await curl(`${site}/admin/login/`)) ?? [];
    expect(await curl("-o", "/dev/null", "-D", "-", `${site}${style}`)).toMatch(
      /^cache-control: .*max-age=31536000/im,
    );
    const before = await todo.running();
    await todo.workspace.set("services.todo.env.ALLOWED_HOSTS", "elsewhere.example");
    await todo.workspace.set("services.todo.startTimeout", 8);
    const up = await todo.pulumi.up();
    expectFailure(up);
    expect(up.text).toMatch(/answers 400 \(asked as https:\/\/localhost/);
    expectUntouched(before, await todo.running());
    await rm(folder, { recursive: true });
  });

  it("a site on IPv6 beside IPv4", async () => {
    await bakery.workspace.set("http.address", ["127.0.0.1", "::1"]);
    expectSuccess(await bakery.pulumi.up());
    expect(await run("curl", ["-fsS6", "-m", "15", bakery.address])).toContain("Bakery");
    expect(await run("curl", ["-fsS4", "-m", "15", bakery.address])).toContain("Bakery");
    expect((await bakery.pulumi.up()).changes).toEqual([]);
  });

  it("one of three stacks destroyed: the others keep their processes, networks, volumes, and serve", async () => {
    const others = [press, books];
    const before = await Promise.all(
      others.map(async (one) => [await one.running(), await one.traces()] as const),
    );
    await bakery.destroy();
    expect(await bakery.traces()).toEqual({ containers: [], images: [], networks: [], volumes: [] });
    await expect(bakery.fetch("/")).rejects.toThrow();
    for (const [i, other] of others.entries()) {
      const [running, traces] = before[i] ?? [{}, undefined];
      expectUntouched(running, await other.running());
      expect(await other.traces()).toEqual(traces);
    }
    expect(await resultOf(press, packed)).toBe(upload);
    await expectBooks(books, [{ id: 1, title: "Пиковая дама", finished: true }]);
  });

  afterAll(async () => {
    const ends = await Promise.allSettled(examples.map((example) => example.remove()));
    expect(ends.filter(({ status }) => status === "rejected")).toEqual([]);
  });
});

/** The first `up` starts these, all hardened; the second finds nothing to do. */
async function deploy(example: Example, services: readonly string[]): Promise<void> {
  const first = await example.pulumi.up();
  expectSuccess(first);
  const running = await example.running();
  expect(Object.keys(running).sort()).toEqual(services);
  for (const { service, hardened } of Object.values(running)) {
    expect(hardened, service).toMatchObject({ readOnly: true, drops: ["ALL"] });
    expect(hardened.user, service).toMatch(/^(?!0+(:|$)|root)./);
  }
  const second = await example.pulumi.up();
  expectSuccess(second);
  expect(second.changes).toEqual([]);
  expect(await example.running()).toEqual(running);
}

async function expectBakery(bakery: Example): Promise<void> {
  const page = await bakery.fetch("/");
  expect([page.status, await page.text()]).toEqual([
    200,
    expect.stringContaining("<h1>Lighthouse Bakery</h1>"),
  ]);
}

async function submit(press: Example, body: string): Promise<string> {
  const answer = await press.fetch("/uploads?name=upload.txt", { method: "POST", body });
  expect(answer.status).toBe(202);
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

/** Waits until the worker has done it, 15 s at most, and gives what it made, unpacked again. */
async function awaitPacked(press: Example, id: string): Promise<string> {
  let state = "";
  for (let tries = 0; tries < 150 && state !== "completed"; tries += 1) {
    if (tries > 0) await pause(100);
    state = z.object({ state: z.string() }).parse(await (await press.fetch(`/uploads/${id}`)).json()).state;
  }
  expect(state).toBe("completed");
  return resultOf(press, id);
}

async function resultOf(press: Example, id: string): Promise<string> {
  const answer = await press.fetch(`/uploads/${id}/packed`);
  expect(answer.status).toBe(200);
  return brotliDecompressSync(await answer.arrayBuffer()).toString();
}

async function expectBooks(books: Example, items: readonly unknown[]): Promise<void> {
  const answer = await books.fetch("/books");
  expect([answer.status, await answer.json()]).toEqual([200, { items }]);
}

function json(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}
