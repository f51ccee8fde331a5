import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** A value that may stand in few places only, by its name. */
export interface Secret {
  readonly name: string;
  readonly value: string;
  /** What is looked for: a part of it that no quoting changes, or all of it. */
  readonly markers: readonly string[];
}

/** A secret value full of what shells, YAML, JSON, URLs and templates care about, around two markers. */
export function oddSecret(name: string): Secret {
  const markers = [marker(), marker()] as const;
  const odd = `'"\`$HOME \${X} $(id) $$ %41 {{.}} \t\\n\\\r\n  ёлка 𝄞 & < # ! *=`;
  return { name, value: `  ${markers[0]}${odd}${markers[1]} `, markers };
}

/** One that is all marker. */
export function plainSecret(name: string, value = marker()): Secret {
  return { name, value, markers: [value] };
}

function marker(): string {
  return randomBytes(16).toString("hex");
}

interface Needle {
  readonly what: string;
  readonly bytes: Buffer;
}

/** Looks for secrets in whatever form they may have got somewhere: bare, in base64 of a longer text, in hex. */
export class Searcher {
  private readonly needles: Needle[];

  constructor(readonly secrets: readonly Secret[]) {
    this.needles = secrets.flatMap(({ name, markers }) =>
      markers.flatMap((text) =>
        formsOf(text).map(([form, found]) => ({ what: `${name} ${form}`, bytes: Buffer.from(found) })),
      ),
    );
  }

  /** What is found in a text, such as `TOKEN bare`. */
  in(text: string | Buffer): string[] {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    return [...new Set(this.needles.filter((one) => bytes.includes(one.bytes)).map(({ what }) => what))];
  }

  /** What is found in each of some texts, as `<where>: TOKEN bare`. */
  inAll(texts: Readonly<Record<string, string>>): string[] {
    return Object.entries(texts).flatMap(([where, text]) => this.in(text).map((what) => `${where}: ${what}`));
  }

  /** The same for a file, or for all files below a folder; what goes away meanwhile is passed over. */
  async below(path: string, skip: readonly string[] = []): Promise<string[]> {
    const about = await stat(path).catch(() => undefined);
    if (about?.isDirectory() === true) {
      const names = (await readdir(path).catch(() => [])).filter((name) => !skip.includes(name));
      const found: string[] = [];
      for (const name of names) found.push(...(await this.below(join(path, name), skip)));
      return found;
    }
    if (about?.isFile() !== true || about.size > 64 * 1024 * 1024) return [];
    const text = await readFile(path).catch(() => Buffer.alloc(0));
    return this.in(text).map((what) => `${path}: ${what}`);
  }
}

/**
 * JSON, YAML, URLs and shells leave letters and digits as they are, so that these find a marker in them too. In base64
 * it looks different after each number of bytes before it, counted by threes; its ends depend on its neighbours.
 */
function formsOf(text: string): [form: string, text: string][] {
  const inBase64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.from("\0".repeat(before) + text)
      .toString("base64")
      .replace(/=+$/, "");
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + text.length) * 8) / 6));
  });
  return [
    ["bare", text],
    ...inBase64.map((found): [string, string] => ["in base64", found]),
    ["in hex", Buffer.from(text).toString("hex")],
  ];
}
