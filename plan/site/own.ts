import { createHash } from "node:crypto";
import type { Config, ServiceConfig } from "../config/schema";
import { secretDigest } from "../wanted/identity";

/** nginx's text for what one service has of its own: who is let in, limits, headers. */

/** Seconds of a year. */
const YEAR = 31_536_000;

const variable = (name: string) => name.replaceAll("-", "_");

/** For the block http: what a guard asks. */
export function guardVariables(http: readonly (readonly [string, ServiceConfig])[]): string {
  const lists = http.flatMap(([name, { allow }]) =>
    allow.length === 0
      ? []
      : [`  geo $stranger_${variable(name)} { default 1; ${allow.map((one) => `${one} 0;`).join(" ")} }\n`],
  );
  const authorized = http.some(([, { basicAuth }]) => Object.keys(basicAuth).length > 0)
    ? "  js_set $authorized routes.authorized;\n"
    : "";
  const cached = http.some(([, { cache }]) => cache.length > 0)
    ? `  map $status $unchanging { default ""; ~^(200|206|304)$ "public, max-age=${YEAR}, immutable"; }\n`
    : "";
  const text = [authorized, cached, ...lists].join("");
  return text === "" ? "" : `\n${text}`;
}

/**
 * Who is not let in is told so before anything else: in nginx's access phase, where `allow` and `auth_basic` belong, a request
 * that waits for an exchange would pass by them.
 */
export function guards(
  name: string,
  { allow, basicAuth }: ServiceConfig,
  { identityKey = "" }: Config,
): string {
  const strangers = allow.length === 0 ? "" : `\n      if ($stranger_${variable(name)}) { return 403; }`;
  const logins = Object.entries(basicAuth).map(([login, password]) =>
    loginWord(login, password, identityKey),
  );
  if (logins.length === 0) return strangers;
  const realm = `add_header WWW-Authenticate 'Basic realm="${name}", charset="UTF-8"' always`;
  return `${strangers}\n      set $logins "${logins.join(" ")}";\n      if ($authorized = "") { ${realm}; return 401; }`;
}

/** login:salt:hash, as host/proxy/routes.js reads it. The salt follows from both, so that the same password is the same text. */
function loginWord(login: string, password: string, key: string): string {
  const salt = secretDigest(key, `salt of ${login}:${password}`);
  return `${login}:${salt}:${passwordHash(salt, login, password)}`;
}

/** The same as in host/proxy/routes.js. */
function passwordHash(salt: string, login: string, password: string): string {
  return createHash("sha256").update(`${salt}:${login}:${password}`).digest("hex");
}

export function limits({ maxBody, timeout }: ServiceConfig): string {
  return [
    ...(maxBody === undefined ? [] : [`client_max_body_size ${maxBody}m;`]),
    ...(timeout === undefined ? [] : [`proxy_read_timeout ${timeout}s;`, `proxy_send_timeout ${timeout}s;`]),
  ]
    .map((line) => `\n      ${line}`)
    .join("");
}

/** @param unchanging whether it is a path of files that never change */
export function headers({ headers: own }: ServiceConfig, site: string, unchanging: boolean): string {
  const all = Object.entries(own).flatMap(([name, value]) => [
    `proxy_hide_header ${name};`,
    `add_header ${name} "${value.replaceAll(/["\\]/g, "\\$&")}" always;`,
  ]);
  const kept = unchanging
    ? ["proxy_hide_header Cache-Control;", "add_header Cache-Control $unchanging;"]
    : [];
  const lines = [...all, ...kept];
  // nginx takes headers from outside only where a place has none of its own.
  return lines.length === 0
    ? ""
    : [...lines, ...(site === "" ? [] : [site])].map((line) => `\n      ${line}`).join("");
}

/** For a server that visitors come to by https. */
export function hsts({ tls }: Config): string {
  return tls?.hsts === true ? `add_header Strict-Transport-Security "max-age=${YEAR}" always;` : "";
}
