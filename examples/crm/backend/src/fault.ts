import { log } from "./log";

const plain = ["unhealthy", "crash", "page", "migrate", "hang", "oom"] as const;
const timed = ["slow", "crash-later"] as const;
const usage = [...plain, ...timed.map((name) => `${name}=SECONDS`)].join(", ");

type Plain = (typeof plain)[number];
type Timed = (typeof timed)[number];

/** A fault on order, so that a test can see what a deploy does about it. */
export type Fault = { name: "none" | Plain } | { name: Timed; seconds: number };

/**
 * Reads CRM_FAULT: empty or unset is none, else a name, or a name with a number of seconds (0-3600).
 * @throws Error that lists what would be right.
 */
export function parseFault(text: string | undefined): Fault {
  if (text === undefined || text === "") return { name: "none" };
  const simple = plain.find((name) => name === text);
  if (simple !== undefined) return { name: simple };
  const [name, value = ""] = text.split("=", 2);
  const withTime = timed.find((known) => known === name);
  const seconds = Number(value);
  if (withTime === undefined || !/^\d+(\.\d+)?$/.test(value) || seconds > 3600) {
    throw new Error(`must be one of ${usage} (SECONDS 0-3600), is ${JSON.stringify(text)}`);
  }
  return { name: withTime, seconds };
}

const MIB = 1024 * 1024;
const oomDelayMs = 3000;

/** Arms the faults that strike by themselves some time after the start. */
export function armFault(fault: Fault): void {
  if (fault.name === "crash-later") {
    setTimeout(() => {
      log("error", `CRM_FAULT=crash-later: exiting ${fault.seconds} s after the start`);
      process.exit(1);
    }, fault.seconds * 1000).unref();
  }
  if (fault.name === "oom") setTimeout(allocateForever, oomDelayMs).unref();
}

/** 200 MiB/s outside of the JavaScript heap, so that the memory limit strikes and not V8's own. */
function allocateForever(): void {
  log("error", "CRM_FAULT=oom: allocating until killed");
  const hoard: Buffer[] = [];
  setInterval(() => hoard.push(Buffer.alloc(4 * MIB, 1)), 20).unref();
}
