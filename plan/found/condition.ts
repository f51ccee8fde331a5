import { X509Certificate } from "node:crypto";

/** What the checklist asks of the host (host/condition.sh); undefined is what it could not tell. */
export interface Condition {
  /** KiB, the least of where images lie and where the runner writes. */
  readonly diskFree: number | undefined;
  /** Seconds since 1970, when the host was asked. */
  readonly clock: number | undefined;
  /** "unreadable": the user who deploys may not read it, or it is not there. */
  readonly certificate: { readonly until: Date } | "unreadable" | undefined;
  /** Undefined: none serves yet. */
  readonly database: "up" | "down" | undefined;
  /** When the newest dump was written, seconds since 1970. */
  readonly backup: number | undefined;
}

export const NO_CONDITION: Condition = {
  diskFree: undefined,
  clock: undefined,
  certificate: undefined,
  database: undefined,
  backup: undefined,
};

export function parseCondition(lines: readonly string[]): Condition {
  const value = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  const number = (word: string) => {
    const text = value(word);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const database = value("database");
  return {
    diskFree: number("disk"),
    clock: number("clock"),
    certificate: readCertificate(value("certificate")),
    database: database === "up" || database === "down" ? database : undefined,
    backup: number("backup"),
  };
}

/** Of a chain, the first is the site's own. */
function readCertificate(base64: string | undefined): Condition["certificate"] {
  if (base64 === undefined) return undefined;
  try {
    return { until: new Date(new X509Certificate(Buffer.from(base64, "base64")).validTo) };
  } catch {
    return "unreadable";
  }
}

/** What host/condition.sh is told besides the stack's own lines. */
export function conditionLines(certificate: string | undefined, backups: string | undefined): string[] {
  return [
    ...(certificate === undefined ? [] : [`certificate ${certificate}`]),
    ...(backups === undefined ? [] : [`backups ${backups}`]),
  ];
}
