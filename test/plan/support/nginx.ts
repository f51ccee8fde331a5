/** Reads nginx's own grammar, enough of it to tell what a configuration says. */

export interface Directive {
  readonly words: readonly string[];
  readonly block?: readonly Directive[];
}

/** @throws Error where nginx would not read on. */
export function parseNginx(text: string): Directive[] {
  const tokens = tokenize(text);
  let at = 0;
  const block = (nested: boolean): Directive[] => {
    const found: Directive[] = [];
    let words: string[] = [];
    for (;;) {
      const token = tokens[at++];
      if (token === undefined || token.text === "}") {
        if (words.length > 0) throw new Error(`no ; after ${words.join(" ")}`);
        if ((token === undefined) === nested) throw new Error("a brace has no partner");
        return found;
      }
      if (token.text === ";" && !token.quoted) {
        if (words.length === 0) throw new Error("nothing before ;");
        found.push({ words });
        words = [];
      } else if (token.text === "{" && !token.quoted) {
        found.push({ words, block: block(true) });
        words = [];
      } else {
        words.push(token.text);
      }
    }
  };
  return block(false);
}

/** A word ends at a space, ; or { outside quotes; # begins a comment only where a word would begin. */
function tokenize(text: string): { text: string; quoted: boolean }[] {
  const pattern =
    /\s+|#[^\n]*|"((?:\\.|[^"\\])*)"(?=[\s;{})]|$)|'([^'\\]*)'(?=[\s;{})]|$)|([;{}])|((?:\\.|\$\{[^}]*\}|[^\s;{"'\\])(?:\\.|\$\{[^}]*\}|[^\s;{\\])*)/gy;
  const tokens: { text: string; quoted: boolean }[] = [];
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null) throw new Error(`cannot be read: ${text.slice(at, at + 30)}`);
    const [, double, single, mark, word] = found;
    const quoted = double ?? single;
    const token = quoted ?? mark ?? word;
    if (token !== undefined) tokens.push({ text: token, quoted: quoted !== undefined });
  }
  return tokens;
}

/** The first directive of a name, or of a name and its first word. */
export function find(directives: readonly Directive[], ...words: string[]): Directive | undefined {
  return findAll(directives, ...words)[0];
}

export function findAll(directives: readonly Directive[], ...words: string[]): Directive[] {
  return directives.filter((one) => words.every((word, i) => one.words[i] === word));
}
