/**
 * `${database.password}`, `${backend.url}`: what only the stack knows, within a text of `env`. A literal one is written with
 * two dollars, `$${database.password}`; every other text with `${` in it is a text.
 */

/** What a text of `env` is made of: a text as it is, or what it refers to. */
export type Part = string | Reference;
export interface Reference {
  /** `database`, or a service's name. */
  readonly of: string;
  readonly what: string;
}

export const OF_DATABASE = ["host", "port", "name", "user", "password", "url"] as const;
export const OF_SERVICE = ["host", "port", "url"] as const;

/** Names of services and of what they have; `${HOME}` has no dot, and is a text. */
const REFERENCE = /(\$?)\$\{([a-z][a-z0-9-]*)\.([a-zA-Z]+)\}/g;

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const found of text.matchAll(REFERENCE)) {
    const [whole, escape, of = "", what = ""] = found;
    parts.push(text.slice(at, found.index), escape === "" ? { of, what } : whole.slice(1));
    at = found.index + whole.length;
  }
  return [...parts, text.slice(at)].filter((part) => part !== "");
}

/** A text that stays as it is, whatever it looks like. */
export function literal(text: string): string {
  return text.replace(REFERENCE, "$$$&");
}

export function referencesIn(text: string): Reference[] {
  return partsOf(text).filter((part) => typeof part !== "string");
}

interface Known {
  readonly database: boolean;
  /** Whether it listens somewhere, by a service's name. */
  readonly services: ReadonlyMap<string, boolean>;
  /** What this service needs. */
  readonly needs: readonly string[];
}

/** @returns what is wrong with a text of `env`, in words that follow its path */
export function problemsOfReferences(text: string, { database, services, needs }: Known): string[] {
  return referencesIn(text).flatMap(({ of, what }) => {
    const said = `\${${of}.${what}}`;
    const literal = `(a text like this is written $${said})`;
    if (of === "database" ? !database : !services.has(of))
      return [
        of === "database"
          ? `${said} asks for a database, and none is configured ${literal}`
          : `${said} asks for ${of}, and there is no such service ${literal}`,
      ];
    const known: readonly string[] = of === "database" ? OF_DATABASE : OF_SERVICE;
    if (!known.includes(what))
      return [
        `${said} is not known: there are ${known.map((one) => `\${${of}.${one}}`).join(", ")} ${literal}`,
      ];
    if (of !== "database" && services.get(of) === false)
      return [`${said} asks for an address, and ${of} has no port`];
    return needs.includes(of) ? [] : [`${said} is of use only with ${of} in needs: add it there`];
  });
}
