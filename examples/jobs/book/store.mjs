// A guest book in a volume: a line of JSON an entry, so that several may write to it at once.
import { appendFile, readFile } from "node:fs/promises";

const file = "/data/entries.jsonl";

export async function add(text) {
  await appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), text })}\n`);
}

export async function entries() {
  const lines = await readFile(file, "utf8").catch(() => "");
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
