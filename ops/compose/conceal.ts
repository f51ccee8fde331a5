/**
 * Compose files hand passwords over in the text of a command: `redis-server --requirepass X`, `mysqladmin ping -pX`. There
 * they would stand in plain config, in `docker ps` and in what is printed. Here such a text reads them from a variable.
 */

/** Shorter ones occur by chance in words that mean something else. */
const LEAST = 4;

const NAME = String.raw`[\w-]*(?:pass|password|passwd|requirepass|masterauth|secret|token|api-?key|auth)`;
const VALUE = String.raw`("[^"]*"|'[^']*'|[^\s"']+)`;
const PATTERNS = [
  // --password=X, --password X, REDISCLI_AUTH=X
  new RegExp(String.raw`(?:^|\s)--?${NAME}(?:=|\s+)${VALUE}`, "gi"),
  new RegExp(String.raw`(?:^|\s)${NAME}=${VALUE}`, "gi"),
  // mysqladmin -pX
  new RegExp(String.raw`\b(?:mysql|mariadb)[\w-]*\s(?:[^|;&]*\s)?-p${VALUE}`, "g"),
  // redis-cli -a X
  new RegExp(String.raw`\b(?:redis|valkey)-cli\s(?:[^|;&]*\s)?-a\s+${VALUE}`, "g"),
  // scheme://user:X@host
  /:\/\/[^/\s:@"']*:([^/\s@"']+)@/g,
];

/** Passwords by where they stand in a command. What is a variable already is none. */
function passwordsIn(command: string): string[] {
  return PATTERNS.flatMap((pattern) => [...command.matchAll(pattern)])
    .map(([, value = ""]) => value.replace(/^(["'])(.*)\1$/, "$2"))
    .filter((value) => value !== "" && !/^[$-]/.test(value));
}

/** Gives the name of a variable that holds the value, in the service's own environment. */
export type Variable = (value: string) => string;

/**
 * @param command a line for sh
 * @param known values that are secret wherever they stand
 * @returns the line with variables in place of passwords
 */
export function concealed(command: string, known: readonly string[], variable: Variable): string {
  const values = [
    ...known.filter((one) => one.length >= LEAST && command.includes(one)),
    ...passwordsIn(command),
  ];
  // The longest first: one may be part of another.
  const longest = [...new Set(values)].sort((one, other) => other.length - one.length);
  return longest.reduce((text, value) => withVariable(text, value, variable(value)), command);
}

/** Quotes are closed before the variable and opened again after it: sh reads none within '...'. */
function withVariable(line: string, value: string, name: string): string {
  let quote = "";
  let text = "";
  for (let at = 0; at < line.length;) {
    const character = line.charAt(at);
    if (line.startsWith(value, at)) {
      text += `${quote}"$${name}"${quote}`;
      at += value.length;
      continue;
    }
    if (quote === character) quote = "";
    else if (quote === "" && /["']/.test(character)) quote = character;
    text += character;
    at += 1;
  }
  return text.replaceAll(`''"$${name}"''`, `"$${name}"`).replaceAll(`"""$${name}"""`, `"$${name}"`);
}
