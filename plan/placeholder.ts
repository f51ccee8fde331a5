/**
 * A value of an environment that still waits for the person who knows it. In angle brackets only what begins like a
 * hint: `<title>CRM</title>` is a text (plan/config/read.ts).
 */
const PLACEHOLDER = /^(<(the|your) .*>|change[-_ ]?me.*|your[-_ ].*|xxx+|todo)$/i;

export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}
