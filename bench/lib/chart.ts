import { median } from "../../plan/words/median";
import { namesIn, of, type Run } from "./results";

const WIDTH = 760;
const LABELS = 250;
const BAR = 13;
const COLOURS = ["#2b6cb0", "#a0aec0", "#718096", "#cbd5e0"];

/** Bars of the median seconds, work by work, a group of them for each run. An SVG of plain text and rectangles. */
export function chart(runs: readonly Run[]): string {
  const longest = Math.max(...runs.flatMap(({ results }) => results.map(({ seconds }) => seconds)));
  const scale = (WIDTH - LABELS - 130) / longest;
  const parts: string[] = [];
  let y = 24;
  for (const { results, delay } of runs) {
    const contenders = namesIn(results, "contender");
    parts.push(
      text(0, y, `${delay} ms round trip: seconds of a deploy, and requests that failed meanwhile`, "bold"),
    );
    y += 14;
    for (const work of namesIn(results, "work")) {
      parts.push(text(0, y + BAR, work));
      for (const [i, contender] of contenders.entries()) {
        const all = of(results, work, contender);
        if (all.length === 0) continue;
        const seconds = median(all.map((one) => one.seconds));
        const failed = all.reduce((total, one) => total + one.failed, 0);
        const width = Math.max(1, seconds * scale).toFixed(1);
        parts.push(
          `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR - 2}" fill="${COLOURS[i] ?? "#000"}"/>`,
        );
        const says = `${seconds.toFixed(1)} s${failed > 0 ? `, ${failed} failed` : ""}`;
        parts.push(text(LABELS + Number(width) + 6, y + BAR - 3, says));
        y += BAR;
      }
      y += 7;
    }
    for (const [i, contender] of contenders.entries()) {
      parts.push(`<rect x="${LABELS}" y="${y}" width="11" height="11" fill="${COLOURS[i] ?? "#000"}"/>`);
      parts.push(text(LABELS + 18, y + 10, contender));
      y += 16;
    }
    y += 22;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, words: string, weight = "normal"): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" font-weight="${weight}">${escaped}</text>`;
}
