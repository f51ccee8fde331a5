import { createReadStream, createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createBrotliCompress } from "node:zlib";
import { Worker } from "bullmq";
import { packedOf, uploadOf } from "./files.ts";
import { connection, type Packed, QUEUE, type Upload } from "./queue.ts";

/** Brotli at its best takes seconds for a megabyte, and 160 MiB. A result is there whole or not at all. */
async function pack(id: string): Promise<Packed> {
  const [upload, packed] = [uploadOf(id), packedOf(id)];
  await pipeline(createReadStream(upload), createBrotliCompress(), createWriteStream(`${packed}.new`));
  await rename(`${packed}.new`, packed);
  return { before: (await stat(upload)).size, after: (await stat(packed)).size };
}

const worker = new Worker<Upload, Packed>(QUEUE, ({ id = "" }) => pack(id), { connection });
worker.on("completed", (job, { before, after }) =>
  console.log(`${job.data.name}: ${before} bytes, compressed ${after}`),
);
worker.on("failed", (job, error) => console.error(`${job?.data.name ?? "a job"} failed: ${error.message}`));
worker.on("error", (error) => console.error(error.message));

// The job at work is finished first; one that is killed instead is given to the next worker.
process.once("SIGTERM", () => void worker.close());
