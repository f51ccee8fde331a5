/** As sh reads it back: one word, whatever is in it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words as one line for sh. */
export function shellLine(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}
