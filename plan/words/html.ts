import type { Message } from "./message";

/** A message in the few HTML tags that Telegram reads, never longer than it takes. */

/** Characters, counted as UTF-16. Telegram counts without tags and with entities as one, so this is on the safe side. */
export const LIMIT = 4096;

/** What each part may take at most, escaped; the quote gets what the others leave. */
const TITLE = 250;
const ABOUT = 350;
const HEADING = 60;
const SECTION = 1100;

export function toHtml({ title, about, sections, quote }: Message): string {
  const head = `<b>${fit(title, TITLE)}</b>\n${fit(about, ABOUT)}`;
  const parts = sections.map(
    ({ heading, lines }) => `<b>${fit(heading, HEADING)}</b>\n${fitLines(lines, SECTION)}`,
  );
  const text = [head, ...parts].join("\n\n");
  if (quote === undefined || quote === "") return text;
  const [open, close] = ["\n\n<pre>", "</pre>"];
  return `${text}${open}${fitEnd(quote, LIMIT - text.length - open.length - close.length)}${close}`;
}

/** As Telegram reads it in its HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What cannot be sent as UTF-8, or is nothing to look at. */
function clean(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\ufffd").replaceAll(/(?!\n)\p{Cc}/gu, " ");
}

const CUT = "…";

/** One line, its beginning where it is too long. */
function fit(text: string, room: number): string {
  const line = clean(text).replaceAll("\n", " ");
  const escaped = escapeHtml(line);
  return escaped.length <= room ? escaped : `${taken(Array.from(line), room - 1)}${CUT}`;
}

/** As many whole lines as there is room for, then how many there are besides. */
function fitLines(lines: readonly string[], room: number): string {
  const all = lines.map((line) => `• ${fit(line, 200)}`);
  if (all.join("\n").length <= room) return all.join("\n");
  let count = all.length;
  const text = () => [...all.slice(0, count), `${CUT} +${all.length - count}`].join("\n");
  while (text().length > room) count -= 1;
  return text();
}

/** The end of a text: an error says last what is to be done. */
function fitEnd(text: string, room: number): string {
  const escaped = escapeHtml(clean(text));
  if (escaped.length <= room) return escaped;
  const end = taken(Array.from(clean(text)).reverse(), room - 1, (part, rest) => part + rest);
  return `${CUT}${end}`;
}

/** Whole characters only, each escaped: nothing is cut in the middle of a pair or an entity. */
function taken(
  characters: readonly string[],
  room: number,
  put = (part: string, rest: string) => rest + part,
): string {
  let text = "";
  for (const character of characters) {
    const part = escapeHtml(character);
    if (text.length + part.length > room) break;
    text = put(part, text);
  }
  return text;
}
