/** What the web front asks of the worker: to compress the upload that has the job's id. */
export interface Upload {
  /** As the visitor's machine called the file. */
  readonly name: string;
}

/** Bytes before and after. */
export interface Packed {
  readonly before: number;
  readonly after: number;
}

export const QUEUE = "uploads";

export const connection = { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" };
