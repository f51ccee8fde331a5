import { execFile, type ExecFileException } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseFacts } from "../plan/found/answer";
import type { Facts } from "../plan/found/facts";
import { type Action, hostCommand, hostScript } from "./bundle";
import type { Connection } from "./connection";

/** The host did not answer; the message tells why and what to do. */
export class HostUnreachable extends Error {}

/**
 * Reads the facts of the host, in one round trip and before any resource of it, so that the plan is whole in a preview.
 *
 * @param waitSeconds how long a release in progress is waited for (0 in a preview)
 * @throws HostUnreachable
 */
export async function askFacts(
  connection: Connection,
  payload: readonly string[],
  waitSeconds: number,
): Promise<Facts> {
  const answer = await (takeEarly(connection, payload, waitSeconds) ??
    answerOf(connection, payload, waitSeconds));
  if ("failure" in answer) throw new HostUnreachable(answer.failure);
  try {
    return parseFacts(answer.text);
  } catch (error) {
    throw new HostUnreachable(error instanceof Error ? error.message : String(error));
  }
}

/** What a script that only looks says. @throws HostUnreachable */
export async function askHost(
  connection: Connection,
  action: Action,
  payload: readonly string[],
): Promise<string> {
  const answer = await answerOf(connection, payload, 0, action);
  if ("failure" in answer) throw new HostUnreachable(answer.failure);
  return answer.text;
}

/** What came of a question. Plain, for whoever asks early is not loaded together with whoever takes the answer. */
type Answer = { readonly text: string } | { readonly failure: string };
interface Early {
  readonly question: string;
  readonly answer: Promise<Answer>;
}
const EARLY = Symbol.for("deploy.facts.early");

/** Asks for what the program is going to ask for. */
export function askEarly(connection: Connection, payload: readonly string[], waitSeconds: number): void {
  const question = questionOf(connection, payload, waitSeconds);
  const early: Early = { question, answer: answerOf(connection, payload, waitSeconds) };
  Reflect.set(globalThis, EARLY, early);
}

/** The early answer, for the first who asks, and only to the very same question: later ones want to know what is then. */
function takeEarly(...asked: Parameters<typeof questionOf>): Promise<Answer> | undefined {
  const early = Reflect.get(globalThis, EARLY) as Early | undefined;
  Reflect.deleteProperty(globalThis, EARLY);
  return early?.question === questionOf(...asked) ? early.answer : undefined;
}

function questionOf({ interpreter }: Connection, payload: readonly string[], waitSeconds: number): string {
  return JSON.stringify([interpreter, payload, waitSeconds]);
}

function answerOf(
  connection: Connection,
  payload: readonly string[],
  waitSeconds: number,
  action: Action = "facts",
): Promise<Answer> {
  // Where ssh keeps its shared connection (ControlPath); ssh does not make the folder itself.
  if (connection.dockerHost !== undefined)
    mkdirSync(join(homedir(), ".ssh"), { recursive: true, mode: 0o700 });
  const [program = "sh", ...rest] = connection.interpreter;
  const patience = waitSeconds + 60;
  const limits = { timeout: patience * 1000, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...rest, hostCommand(action)],
      { env: environmentForHost(), encoding: "utf8", ...limits },
      (error, text, stderr) => {
        resolve(error === null ? { text } : { failure: failureOf(program, error, stderr, patience) });
      },
    );
    // One that ends before it has read everything is an error too (EPIPE), but then it has said why.
    child.stdin?.on("error", () => undefined).end(hostScript(action, payload));
  });
}

/** @param patience seconds */
function failureOf(
  program: string,
  { killed, signal, code, message }: ExecFileException,
  stderr: string,
  patience: number,
): string {
  if (killed === true && typeof code !== "string") return `no answer within ${patience} s`;
  if (signal) return `${program} was ended by ${signal}`;
  return typeof code === "number" ? explainFailure(stderr.trim()) : `cannot run ${program}: ${message}`;
}

/**
 * Without what the CLI gives this process alone: PULUMI_CONFIG holds the stack's secrets, and ssh's shared connection
 * lives on for a minute. The rest stays: ssh's agent, and whatever the deployer's own ssh config reads.
 */
export function environmentForHost(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
}

function explainFailure(stderr: string): string {
  const last = stderr.split("\n").at(-1) ?? "";
  if (/host key verification failed|no matching host key|no .* host key is known/i.test(stderr)) {
    return (
      "the server's host key is not the pinned one (host.hostKey): either the server was set up anew or somebody " +
      "stands in between. Compare on the server itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; " +
      "when it is right, set host.hostKey to what ssh-keyscan -t ed25519 prints"
    );
  }
  if (/permission denied/i.test(stderr)) {
    return `${last}: load the key into the ssh agent (ssh-add) or set host.identityFile`;
  }
  return last === "" ? "no answer" : last;
}
