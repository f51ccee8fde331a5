import { spawnSync } from "node:child_process";
import { environmentForHost } from "./askFacts";
import { hostCommand, hostScript } from "./bundle";
import type { Connection } from "./connection";

/** Seconds; a host that does not answer must not keep anybody from learning why a deploy failed. */
const PATIENCE = 20;

/** Appends a line to the host's deploy log (host/note.sh). What cannot be noted is no failure of its own. */
export function noteOnHost({ interpreter }: Connection, payload: readonly string[]): void {
  const [program = "sh", ...rest] = interpreter;
  spawnSync(program, [...rest, hostCommand("note")], {
    input: hostScript("note", payload),
    env: environmentForHost(),
    timeout: PATIENCE * 1000,
    stdio: ["pipe", "ignore", "ignore"],
  });
}
