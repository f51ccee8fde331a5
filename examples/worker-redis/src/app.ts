import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Queue } from "bullmq";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { packedOf, uploadOf } from "./files.ts";
import { type Packed, type Upload } from "./queue.ts";

const maxBytes = 10 * 1024 * 1024;
const maxName = 200;
const ID = "[0-9a-f-]{36}";

/** @param page the HTML of the site's one page */
export function createApp(queue: Queue<Upload, Packed>, page: string): Hono {
  const app = new Hono();

  app.get("/", (c) => c.html(page));
  app.get("/health", async (c) => c.json({ waiting: await queue.count() }));

  app.post("/uploads", bodyLimit({ maxSize: maxBytes, onError: tooLarge }), async (c) => {
    const name = c.req.query("name") ?? "upload";
    const body = c.req.raw.body;
    if (name.length > maxName) return c.json({ error: `name: at most ${maxName} characters` }, 400);
    if (body === null) return c.json({ error: "the request's body is the file: it is missing" }, 400);
    const id = randomUUID();
    await pipeline(Readable.fromWeb(body), createWriteStream(uploadOf(id)));
    await queue.add("pack", { name }, { jobId: id });
    return c.json({ id }, 202);
  });

  app.get(`/uploads/:id{${ID}}`, async (c) => {
    const id = c.req.param("id");
    // In this order: of a job that is said to be completed, the result is there.
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (job === undefined) return c.notFound();
    return c.json({ name: job.data.name, state, packed: job.returnvalue });
  });

  app.get(`/uploads/:id{${ID}}/packed`, async (c) => {
    const id = c.req.param("id");
    const job = await queue.getJob(id);
    if (job === undefined || !(await job.isCompleted())) return c.notFound();
    c.header("Content-Type", "application/octet-stream");
    c.header(
      "Content-Disposition",
      `attachment; filename*=UTF-8''${encodeURIComponent(`${job.data.name}.br`)}`,
    );
    return c.body(Readable.toWeb(createReadStream(packedOf(id))) as ReadableStream);
  });

  app.notFound((c) => c.json({ error: "there is no such upload" }, 404));
  app.onError((error, c) => {
    console.error(error.message);
    return c.json({ error: "the queue is away: try again in a moment" }, 503);
  });
  return app;
}

function tooLarge(c: Context): Response {
  return c.json({ error: `at most ${maxBytes} bytes` }, 413);
}
