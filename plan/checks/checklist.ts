import { DAYS, type Level } from "../config/checks";
import { isPlaceholder } from "../config/placeholder";
import type { Config } from "../config/schema";
import type { Deployer, Repository } from "../found/deployer";
import type { Facts } from "../found/facts";
import type { Plan } from "../release/plan";
import { comeback } from "./comeback";
import type { Finding } from "./finding";
import { olderCode } from "./olderCode";

export interface Checked {
  readonly check: keyof Config["checks"];
  readonly outcome: "pass" | Exclude<Level, "off">;
  readonly words: string;
}

/** Everything on the list that is not switched off and that there is something to say about. */
export function checklist(config: Config, facts: Facts, deployer: Deployer, plan: Plan): Checked[] {
  const { checks } = config;
  // What is gone back to was built and tested in its time: today's sources have no part in it.
  const unlessPinned = (finding: Finding) => (config.rollbackTo === undefined ? finding : undefined);
  const found: Record<keyof Config["checks"], Finding> = {
    tree: unlessPinned(tree(deployer)),
    pushed: unlessPinned(pushed(deployer)),
    tests: unlessPinned(tests(deployer)),
    environment: environment(config),
    quietHours: quietHours(checks.quietHours, deployer.now),
    memory: memory(checks.memory.free, facts),
    disk: disk(checks.disk.free, facts),
    clock: clock(checks.clock.seconds, facts, deployer.now),
    certificate: certificate(checks.certificate.days, facts, deployer.now),
    database: database(facts),
    backup: backup(checks.backup.hours, facts, deployer.now),
    // Nobody who leaves a release must be able to come back to it.
    comeback: unlessPinned(comeback(facts, plan)),
    // What `rollbackTo` goes back to is asked the same, and refused.
    olderCode: unlessPinned(olderCode(config, facts, plan)),
  };
  return (Object.keys(found) as (keyof typeof found)[]).flatMap((check) => {
    const { level } = checks[check];
    const finding = found[check];
    if (level === "off" || finding === undefined) return [];
    return [{ check, outcome: finding.good ? "pass" : level, words: finding.words }];
  });
}

function tree({ repositories }: Deployer): Finding {
  const dirty = repositories.filter(({ commit, changed }) => commit === undefined || changed !== 0);
  if (dirty.length === 0) return { good: true, words: `committed: ${commits(repositories)}` };
  const untold = dirty.filter(({ commit, changed }) => commit !== undefined && changed === undefined);
  const lost = dirty.filter((one) => !untold.includes(one));
  const words = [
    ...(lost.length === 0
      ? []
      : [`${lost.map(notCommitted).join("; ")}: nobody can build this release again`]),
    ...untold.map(
      ({ path }) => `git could not tell whether ${place(path)} is committed: run git status there to see why`,
    ),
  ];
  return { good: false, words: words.join("; ") };
}

function notCommitted({ path, commit, changed }: Repository): string {
  if (commit === undefined) return `${place(path)} is not under git`;
  return `${place(path)} has ${changed} file${changed === 1 ? "" : "s"} that no commit holds`;
}

function pushed({ repositories }: Deployer): Finding {
  const known = repositories.filter(({ commit }) => commit !== undefined);
  if (known.length === 0) return undefined;
  const local = known.filter((one) => !one.pushed);
  if (local.length === 0) return { good: true, words: `pushed: ${commits(known)}` };
  return {
    good: false,
    words: `on no remote: ${commits(local)}: git push, so that others can go on from it`,
  };
}

function commits(repositories: readonly Repository[]): string {
  return repositories.map(({ path, commit = "" }) => `${commit.slice(0, 12)} (${place(path)})`).join(", ");
}

function place(path: string): string {
  return path === "." ? "the project" : path;
}

function tests({ tests: result }: Deployer): Finding {
  switch (result) {
    case undefined:
      return undefined;
    case "green":
      return { good: true, words: "tests are green for this commit" };
    case "red":
      return { good: false, words: "tests fail" };
    case "unknown":
      return { good: true, words: "tests have not run for this commit: 'pulumi up' runs them first" };
  }
}

function environment({ services }: Config): Finding {
  const problems = Object.entries(services).flatMap(([service, { env, secrets, requires }]) => {
    const given = { ...env, ...secrets };
    const missing = requires.filter((name) => (given[name] ?? "") === "");
    const waiting = Object.keys(given).filter((name) => isPlaceholder(given[name] ?? ""));
    return [
      ...missing.map((name) => `services.${service}: ${name} is required and not set`),
      ...waiting.map((name) => `services.${service}: ${name} is still a placeholder`),
    ];
  });
  if (problems.length > 0) return { good: false, words: problems.join("; ") };
  return { good: true, words: "every required name of the environment is set" };
}

function quietHours({ from, to, zone, days }: Config["checks"]["quietHours"], now: Date): Finding {
  if (from === undefined || to === undefined) return undefined;
  const at = localTime(now, zone);
  // Over midnight the hours belong to the day on which they begin.
  const overMidnight = from > to;
  const early = overMidnight && at.time < to;
  const inside = early || (at.time >= from && (overMidnight || at.time < to));
  const day = early ? at.dayBefore : at.day;
  const quiet = inside && (days as readonly string[]).includes(day);
  const span = `${from}-${to} ${zone}`;
  return quiet
    ? { good: false, words: `it is ${at.time} in ${zone}: quiet hours are ${span}` }
    : { good: true, words: `outside the quiet hours (${span})` };
}

function localTime(now: Date, zone: string): { time: string; day: string; dayBefore: string } {
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(now);
  const day = part({ weekday: "short" }).toLowerCase();
  const time = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  // By name: the day on which the clocks change has not 24 hours.
  const dayBefore = DAYS.find((_, i) => DAYS[(i + 1) % DAYS.length] === day) ?? day;
  return { time, day, dayBefore };
}

function memory(wanted: number, { memory: told }: Facts): Finding {
  if (told === undefined) return undefined;
  const free = Math.floor((told.total - told.used) / 1024);
  return atLeast(free, wanted, "MiB of memory free on the host", "stop what is not needed, or lower a limit");
}

function disk(wanted: number, { condition }: Facts): Finding {
  if (condition.diskFree === undefined) return undefined;
  const free = Math.floor(condition.diskFree / 1024);
  return atLeast(
    free,
    wanted,
    "MiB of disk free on the host",
    "free some: docker builder prune, docker image prune",
  );
}

function atLeast(free: number, wanted: number, what: string, cure: string): Finding {
  return free >= wanted
    ? { good: true, words: `${free} ${what}` }
    : { good: false, words: `only ${free} ${what}, wanted ${wanted}: ${cure}` };
}

function clock(allowed: number, { condition }: Facts, now: Date): Finding {
  if (condition.clock === undefined) return undefined;
  const off = Math.round(condition.clock - now.getTime() / 1000);
  if (Math.abs(off) <= allowed) return { good: true, words: "the host's clock is right" };
  const direction = off > 0 ? "ahead of" : "behind";
  return {
    good: false,
    words: `the host's clock is ${Math.abs(off)} s ${direction} this machine's: set up time synchronisation on the host`,
  };
}

function certificate(days: number, { condition }: Facts, now: Date): Finding {
  const found = condition.certificate;
  if (found === undefined) return undefined;
  if (found === "unreadable") {
    return { good: false, words: "the certificate cannot be read on the host (tls.folder, tls.certificate)" };
  }
  const left = Math.floor((found.until.getTime() - now.getTime()) / 86_400_000);
  if (left < 0) return { good: false, words: `the certificate expired ${-left} days ago: renew it` };
  return left < days
    ? { good: false, words: `the certificate ends in ${left} days: renew it` }
    : { good: true, words: `the certificate is good for ${left} days` };
}

function database({ condition }: Facts): Finding {
  if (condition.database === undefined) return undefined;
  return condition.database === "up"
    ? { good: true, words: "the database answers" }
    : { good: false, words: "the database that serves does not answer: see its log" };
}

function backup(hours: number | undefined, { condition, known }: Facts, now: Date): Finding {
  if (hours === undefined || !known) return undefined;
  if (condition.backup === undefined) return { good: false, words: "there is no backup of the database" };
  const age = Math.max(0, Math.round((now.getTime() / 1000 - condition.backup) / 3600));
  return age <= hours
    ? { good: true, words: `the newest backup is ${age} h old` }
    : { good: false, words: `the newest backup is ${age} h old, wanted at most ${hours}` };
}

/** For a preview: what is not as wanted, and how many are. */
export function summarize(checked: readonly Checked[]): string {
  const failed = checked.filter(({ outcome }) => outcome !== "pass");
  const passed = checked.length - failed.length;
  const title = `checklist: ${passed} of ${checked.length} as wanted`;
  return [title, ...failed.map(describe)].join("\n");
}

export function describe({ check, outcome, words }: Checked): string {
  return `  ${outcome === "stop" ? "STOP" : outcome}  ${check}: ${words}`;
}
