// A job: how many entries there are, and the newest one.
import { writeFile } from "node:fs/promises";
import { entries } from "./store.mjs";

const all = await entries();
await writeFile("/data/digest.json", JSON.stringify({ count: all.length, newest: all.at(-1)?.text }));
console.log(`${all.length} entries`);
