import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { Queue } from "bullmq";
import { createApp } from "./app.ts";
import { connection, type Packed, QUEUE, type Upload } from "./queue.ts";

// Some 5 s for a Redis that is being exchanged; then the visitor is told. The worker waits for ever.
const queue = new Queue<Upload, Packed>(QUEUE, { connection: { ...connection, maxRetriesPerRequest: 5 } });
queue.on("error", (error) => console.error(error.message));

const page = readFileSync(new URL("page.html", import.meta.url), "utf8");
const port = Number(process.env.PORT ?? 3000);
const server = serve({ fetch: createApp(queue, page).fetch, port }, () => console.log(`port ${port}`));

// No new connection, requests in flight are answered.
process.once("SIGTERM", () => server.close(() => void queue.close()));
