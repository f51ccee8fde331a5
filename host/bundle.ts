import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The parts of the script that runs on the host, in the order in which they build on each other. */
const PARTS = [
  "lib/base.sh",
  "lib/state.sh",
  "lib/words.sh",
  "lib/health.sh",
  "lib/proxy.sh",
  "verbs/containers.sh",
  "verbs/routing.sh",
  "verbs/data.sh",
  "run.sh",
  "deploy.sh",
  "facts.sh",
  "check.sh",
  "teardown.sh",
];

export type Action = "deploy" | "facts" | "check" | "teardown";

/** No line of a payload can be this one: each begins with a word of ours. */
const END = "==end of payload==";

/** The whole script for one action, to be given to the host on stdin; `payload` holds no secret. */
export function hostScript(payload: readonly string[]): string {
  const parts = PARTS.map(readPart);
  return [
    ...parts,
    `payload() {\ncat <<'${END}'\n${payload.join("\n")}\n${END}\n}\n`,
    readPart("main.sh"),
  ].join("\n");
}

/**
 * Takes the script from stdin into a file, so that it can start a copy of itself which outlives the connection.
 * Short on purpose: a failing command's error shows it whole.
 */
export function hostCommand(action: Action): string {
  return `f=$(mktemp) && cat >"$f" && sh "$f" ${action}; s=$?; rm -f "$f"; exit $s`;
}

export function routesScript(): string {
  return readPart("proxy/routes.js");
}

function readPart(name: string): string {
  return readFileSync(join(__dirname, name), "utf8");
}
