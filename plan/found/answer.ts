import { parseCondition } from "./condition";
import { parseKept, parseLedger } from "./entry";
import type { Facts, FoundContainer, FoundFiles, Owner } from "./facts";
import { type Current, type ReleaseRecord, releaseRecord } from "./record";

/** @throws Error when the text is not whole (the connection dropped in the middle) or damaged. */
export function parseFacts(text: string): Facts {
  const lines = text.split("\n").filter((line) => line !== "");
  const errors = rest(lines, "error");
  const whole = lines.at(-1) === "end";
  if (!whole && errors.length === 0) throw new Error("the host's answer broke off");
  const [platform] = words(lines, "engine")[0] ?? [];
  const [total, used] = (words(lines, "memory")[0] ?? []).map((word) => wholeNumber(word, "memory"));
  const ours = wholeNumber(words(lines, "ours")[0]?.[0] ?? "0", "ours");
  const promised = wholeNumber(words(lines, "promised")[0]?.[0] ?? "0", "promised");
  return {
    known: whole,
    errors,
    platform,
    active: rest(lines, "active")[0],
    interrupted: lines.includes("interrupted"),
    memory:
      total === undefined || used === undefined
        ? undefined
        : { total, used, ours, ...(promised > 0 ? { promised } : {}) },
    containers: words(lines, "container").map(([id = "", key = "", role = "", state = ""]) => ({
      id,
      key,
      role,
      state,
      ...parseDetail(words(lines, "detail").find(([one]) => one === id)),
    })),
    networks: words(lines, "network").map(([id = "", name = ""]) => ({ id, name })),
    proxy: parseFiles(lines),
    images: new Map(words(lines, "image").map(([tag = "", id = ""]) => [tag, id])),
    imageConfigs: new Map(
      words(lines, "image-config").map(([id = "", user = "-", check]) => [
        id,
        { user: user === "-" ? "" : user, check: check === "yes" },
      ]),
    ),
    buildNeeds: new Map(
      words(lines, "need").map(([service = "", mib = ""]) => [service, wholeNumber(mib, "need")]),
    ),
    seen: new Map(
      words(lines, "seen").map(([key = "", id = "", made = ""]) => [
        key,
        { id, generation: wholeNumber(made, "seen") },
      ]),
    ),
    current: parseCurrent(rest(lines, "current")),
    ledger: parseLedger(rest(lines, "ledger")),
    ownLayers: new Map(
      words(lines, "layers").map(([id = "", size = ""]): [string, number] => [id, megabytes(size)]),
    ),
    kept: parseKept(rest(lines, "ledger")),
    condition: parseCondition(lines),
    cron: parseCron(lines),
    machine: rest(lines, "machine").find((one) => one !== ""),
    owner: parseOwner(rest(lines, "owner")),
    volumes: words(lines, "volume").map(([name = "", made = "", stack]) => ({
      name,
      stack: textOf(stack),
      made: wholeNumber(made, "volume"),
    })),
    mounts: words(lines, "mounts").map(([state = "", stack, ...sources]) => ({
      state,
      stack: textOf(stack),
      // A folder's name may have spaces; a volume's has neither those nor commas.
      sources: sources.join(" ").split(","),
    })),
  };
}

function parseCron(lines: readonly string[]): Facts["cron"] {
  const [word, ...why] = words(lines, "cron")[0] ?? [];
  if (word === undefined) return undefined;
  return { state: word, why: why.join(" "), lackingZones: rest(lines, "no-zone") };
}

function parseOwner(lines: readonly string[]): Owner | undefined {
  if (lines.length === 0) return undefined;
  const value = (word: string): string => rest(lines, word)[0] ?? "";
  return {
    stack: value("stack"),
    lineage: value("lineage"),
    machine: value("machine"),
    by: value("by"),
    since: value("since"),
  };
}

function textOf(word: string | undefined): string | undefined {
  return word === "" ? undefined : word;
}

function parseDetail(detail: readonly string[] | undefined): Partial<FoundContainer> {
  if (detail === undefined) return {};
  const [, health = "", bytes = "", restart = "", networks = ""] = detail;
  return {
    health,
    memory: Math.round(wholeNumber(bytes, "detail") / 1024 ** 2),
    restart,
    networks: networks
      .split(",")
      .filter((one) => one !== "")
      .map((one) => {
        const at = one.lastIndexOf("=");
        return { name: one.slice(0, at), id: one.slice(at + 1) };
      }),
  };
}

function parseFiles(lines: readonly string[]): FoundFiles | undefined {
  const loaded = words(lines, "proxy-site")[0];
  if (loaded === undefined) return undefined;
  const routes = rest(lines, "proxy-routes")[0];
  return {
    files: new Map(
      words(lines, "proxy-file").flatMap(([name = "", found = ""]) => (found === "" ? [] : [[name, found]])),
    ),
    routes: routes === undefined ? undefined : Buffer.from(routes, "base64").toString("utf8"),
    loaded: loaded[0] ?? "",
  };
}

function parseCurrent(lines: readonly string[]): Current | undefined {
  const release = rest(lines, "release")[0];
  const record = rest(lines, "record")[0];
  if (release === undefined || record === undefined) return undefined;
  return {
    release,
    number: wholeNumber(rest(lines, "number")[0] ?? "0", "number"),
    epoch: wholeNumber(rest(lines, "epoch")[0] ?? "", "epoch"),
    objects: words(lines, "object").map(([key = "", service = "", role = "", id = "", , health = ""]) => ({
      key,
      service,
      role,
      id,
      health,
    })),
    jobs: rest(lines, "job"),
    record: parseRecord(record),
  };
}

function parseRecord(base64: string): ReleaseRecord {
  try {
    return releaseRecord.parse(JSON.parse(Buffer.from(base64, "base64").toString("utf8")));
  } catch (cause) {
    throw new Error("what the host remembers of the release that serves is damaged (its file `current`)", {
      cause,
    });
  }
}

function wholeNumber(word: string, what: string): number {
  if (!/^-?\d+$/.test(word)) throw new Error(`the host's answer is damaged: ${what} ${JSON.stringify(word)}`);
  return Number(word);
}

/** As docker writes sizes: 1.5kB, 20MB, 1.2GB. */
function megabytes(size: string): number {
  const [, number = "0", unit = ""] = /^([\d.]+)([kMGT]?)B$/.exec(size) ?? [];
  return (Number(number) * ({ k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[unit] ?? 1)) / 1e6;
}

function rest(lines: readonly string[], word: string): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

function words(lines: readonly string[], word: string): string[][] {
  return rest(lines, word).map((line) => line.split(" "));
}
