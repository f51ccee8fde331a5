/** A value of an environment that still waits for the person who knows it. */
const PLACEHOLDER = /^(<.*>|change[-_ ]?me.*|your[-_ ].*|xxx+|todo)$/i;

export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value);
}
