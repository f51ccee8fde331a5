/** What still waits for the person who knows it. Text may be in angle brackets too: `<title>CRM</title>`. */

/**
 * A setting such as "<the server's key: ssh-keyscan ...>". No deploy can do without what stands there.
 *
 * @param freeText whether it is of a setting that may hold any text, as a command does
 */
export function isHint(value: string, freeText: boolean): boolean {
  return freeText ? /^<the [^<>]+>$/.test(value) : /^<.+>$/.test(value);
}

/** A value of an environment. `changeme` is one too: a service would start with it, and fail when it is first used. */
export function isPlaceholder(value: string): boolean {
  return /^(<(the|your) .*>|change[-_ ]?me.*|your[-_ ].*|xxx+|todo)$/i.test(value);
}
