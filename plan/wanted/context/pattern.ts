import { RE2JS } from "re2js";

/**
 * One pattern of a .dockerignore file: a path test as Docker makes it.
 *
 * Docker turns a pattern into a regular expression of Go's `regexp` (RE2), and what a pattern means
 * follows from that, oddities included: `\d` is a digit, `[*]` is not a star. So the expression is built
 * the same way here and run by RE2's port, not by JavaScript's own, whose syntax differs.
 *
 * Sources: github.com/moby/patternmatcher (Docker since 23, buildx, the Pulumi provider's context) and
 * github.com/docker/docker/pkg/fileutils of 20.10. They differ in what they quote and in shortcuts.
 */
export type PathTest = (path: string) => boolean;

/** Says which of Docker's two ways of reading a pattern is meant. */
export type Builder = "current" | "20.10";

// The characters that mean something to RE2 and nothing in a pattern. Neither list is whole: `a{2}` is `aa`
// to both (moby's table of what to quote has no room for `{|}`), `a+` and `(a)` are expressions to 20.10.
const quoted: Record<Builder, string> = { current: ".+()$", "20.10": ".$" };

/**
 * Compiles a cleaned pattern, without its `!`.
 *
 * @throws SyntaxError when Docker would refuse the pattern.
 */
export function compilePattern(pattern: string, builder: Builder): PathTest {
  checkSyntax(pattern);
  const { expression, shape } = translate(pattern, quoted[builder]);
  // 20.10 has the expression only.
  switch (builder === "current" ? shape : "expression") {
    case "exact":
      return (path) => path === pattern;
    case "prefix": {
      const prefix = pattern.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case "suffix": {
      const suffix = pattern.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    case "expression":
      return compileExpression(expression);
  }
}

function compileExpression(expression: string): PathTest {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(expression);
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : String(error));
  }
  return (path) => compiled.test(path);
}

/** The shape decides which shortcut the current builders take; a shortcut is not always the same test. */
type Shape = "exact" | "prefix" | "suffix" | "expression";

function translate(pattern: string, quote: string): { expression: string; shape: Shape } {
  // A byte order mark at the start is skipped by Go's scanner.
  const characters = Array.from(pattern.replace(/^\uFEFF/, ""));
  let expression = "";
  let shape: Shape = "exact";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*" && characters[at + 1] === "*") {
      const first = at === 0;
      at += characters[at + 2] === "/" ? 2 : 1;
      const last = at + 1 >= characters.length;
      expression += last ? ".*" : "(.*/)?";
      shape = first ? "suffix" : last && shape === "exact" ? "prefix" : "expression";
    } else if (character === "*") {
      expression += "[^/]*";
      shape = "expression";
    } else if (character === "?") {
      expression += "[^/]";
      shape = "expression";
    } else if (character === "\\") {
      at += 1;
      expression += `\\${characters[at] ?? ""}`;
      shape = "expression";
    } else if (character === "[" || character === "]") {
      expression += character;
      shape = "expression";
    } else {
      expression += quote.includes(character) ? `\\${character}` : character;
    }
  }
  return { expression: `^${expression}$`, shape };
}

/**
 * Refuses what Docker refuses when it reads the list: it calls Go's `filepath.Match(pattern, ".")` for
 * its error alone, which looks at the pattern up to the first star, and on only as long as "." matches.
 * What lies behind that is left to the compiler of the expression.
 */
function checkSyntax(pattern: string): void {
  const characters = Array.from(pattern);
  let at = 0;
  const skipStars = (): void => {
    while (characters[at] === "*") at += 1;
  };
  skipStars();
  const elements: ((character: string) => boolean)[] = [];
  while (at < characters.length && characters[at] !== "*") elements.push(readElement());
  const [first] = elements;
  if (elements.length === 1 && first?.(".") === true) {
    skipStars();
    while (at < characters.length && characters[at] !== "*") readElement();
  }

  /** Reads `c`, `\c`, `?` or `[...]` and returns what it matches. */
  function readElement(): (character: string) => boolean {
    const character = characters[at++];
    if (character === "?") return () => true;
    if (character === "[") return readClass();
    if (character !== "\\") return (other) => other === character;
    const escaped = characters[at++];
    if (escaped === undefined) throw new SyntaxError("it ends in a backslash");
    return (other) => other === escaped;
  }

  function readClass(): (character: string) => boolean {
    const negated = characters[at] === "^";
    if (negated) at += 1;
    const ranges: [low: string, high: string][] = [];
    while (characters[at] !== "]" || ranges.length === 0) {
      const low = readMember();
      let high = low;
      if (characters[at] === "-") {
        at += 1;
        high = readMember();
      }
      ranges.push([low, high]);
    }
    at += 1;
    return (character) => ranges.some(([low, high]) => low <= character && character <= high) !== negated;
  }

  function readMember(): string {
    if (characters[at] === "\\") at += 1;
    else if (characters[at] === "-" || characters[at] === "]") {
      throw new SyntaxError(
        `a class [...] cannot have ${characters[at] ?? ""} there; write \\${characters[at] ?? ""}`,
      );
    }
    const member = characters[at++];
    if (member === undefined || at >= characters.length) throw new SyntaxError("a [ has no closing ]");
    return member;
  }
}
