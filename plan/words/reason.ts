/** Of an error, the lines that tell a person why: short enough for a message, and fit for people outside. */

const LINES = 12;
const LINE = 300;

/** A sequence that colours a terminal. */
// eslint-disable-next-line no-control-regex -- it begins with ESC
const COLOUR = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** The command that a plugin ran for a resource: it says nothing to who only reads the message. */
const COMMAND = /^(?:[\w.-]+: )?(?:exit status \d+|signal: [\w ]+): running ".*":?$/;
/** What the runner quotes of pages and of containers' logs: these belong to the terminal, not to a chat. */
const QUOTED = /^\s+(?:\| ?|last lines of )/;

/**
 * @param text as the engine, a plugin or the program says it
 * @param secrets what it must not hold, in plain
 */
export function reasonOf(text: string, secrets: readonly string[] = []): string {
  const lines = withoutSecrets(text, secrets)
    .replaceAll(COLOUR, "")
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !QUOTED.test(line));
  const telling = lines.filter((line) => !COMMAND.test(line));
  const [first = ""] = lines;
  const kept = telling.length > 0 ? telling : [first.replace(/: running ".*$/, "")];
  return kept
    .slice(-LINES)
    .map((line) => (line.length > LINE ? `${line.slice(0, LINE)}…` : line))
    .join("\n");
}

/** A shorter one would cut up words, and hides nothing. */
const SECRET = 4;

/** Also what stands as a password in an address: the database's own is not in the config. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const parts = secrets
    .flatMap((secret) => [secret, ...secret.split(/\r?\n/)])
    .filter((part) => part.length >= SECRET)
    .sort((a, b) => b.length - a.length);
  return parts
    .reduce((rest, part) => rest.replaceAll(part, "***"), text)
    .replace(/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, "$1***@");
}
