import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The parts of the script that runs on the host, in the order in which they build on each other. */
const PARTS = [
  "lib/base.sh",
  "lib/memory.sh",
  "lib/state.sh",
  "lib/owner.sh",
  "lib/words.sh",
  "lib/log.sh",
  "lib/ledger.sh",
  "lib/health.sh",
  "lib/diagnose.sh",
  "lib/proxy.sh",
  "lib/admission.sh",
  "lib/volumes.sh",
  "lib/crontab.sh",
  "lib/met.sh",
  "verbs/containers.sh",
  "verbs/repair.sh",
  "verbs/routing.sh",
  "verbs/data.sh",
  "verbs/rehearse.sh",
  "verbs/fits.sh",
  "verbs/jobs.sh",
  "verbs/budget.sh",
  "run/keep.sh",
  "run/tell.sh",
  "run/undo.sh",
  "run/settle.sh",
  "run/run.sh",
  "deploy.sh",
  "condition.sh",
  "drift.sh",
  "facts.sh",
  "check.sh",
  "claim.sh",
  "note.sh",
  "doctor.sh",
  "jobs.sh",
  "teardown.sh",
];

/** What asks about one service does without the rest: there is one of it in the state for each service. */
const CHECK = ["lib/base.sh", "lib/state.sh", "lib/words.sh", "lib/health.sh", "lib/proxy.sh", "check.sh"];

export type Action =
  "claim" | "deploy" | "facts" | "check" | "teardown" | "sample" | "note" | "doctor" | "jobs";

/** No line of a payload can be this one: each begins with a word of ours. */
const END = "==end of payload==";

/** The script for one action, to be given to the host on stdin; `payload` holds no secret. */
export function hostScript(action: Action, payload: readonly string[]): string {
  return scriptOf(action === "check" ? CHECK : PARTS, payload);
}

/** The script that builds on this machine and ships to the host. */
export function localBuildScript(payload: readonly string[]): string {
  return scriptOf(["local/build.sh"], payload);
}

export function localBuildCommand(): string {
  return commandFor("build_image");
}

function scriptOf(parts: readonly string[], payload: readonly string[]): string {
  return [
    ...parts.map(readPart),
    `payload() {\ncat <<'${END}'\n${payload.join("\n")}\n${END}\n}\n`,
    readPart("main.sh"),
  ].join("\n");
}

/**
 * Takes the script from stdin into a file, so that it can start a copy of itself which outlives the connection.
 * Short on purpose: a failing command's error shows it whole.
 */
export function hostCommand(action: Action): string {
  return commandFor(action);
}

function commandFor(action: string): string {
  return `f=$(mktemp) && cat >"$f" && sh "$f" ${action}; s=$?; rm -f "$f"; exit $s`;
}

export function routesScript(): string {
  return readPart("proxy/routes.js");
}

function readPart(name: string): string {
  return readFileSync(join(__dirname, name), "utf8");
}
