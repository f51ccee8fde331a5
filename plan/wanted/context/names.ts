import { isUtf8 } from "node:buffer";

/** Names as the file system has them are bytes: how they are matched, written down, and found again. */

/** The name of an entry as the file system has it. */
export function entryBytes(path: string): Buffer {
  const parts = path.split(/(\\\\|\\x[0-9a-f]{2})/);
  return Buffer.concat(
    parts.map((part, i) => {
      if (i % 2 === 0) return Buffer.from(part);
      return part === "\\\\" ? Buffer.from("\\") : Buffer.from(part.slice(2), "hex");
    }),
  );
}

export function asMatched(path: Buffer): string {
  return decode(path, () => "\uFFFD");
}

export function asPrinted(path: Buffer): string {
  const escaped = Buffer.from(path.toString("latin1").replaceAll("\\", "\\\\"), "latin1");
  return decode(escaped, (byte) => `\\x${byte.toString(16)}`);
}

/** Decodes UTF-8 as Go does: what is none is taken byte by byte. */
function decode(bytes: Buffer, invalid: (byte: number) => string): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const length = [1, 2, 3, 4].find((size) => isUtf8(bytes.subarray(start, start + size)));
    text += length === undefined ? invalid(bytes.readUInt8(at)) : bytes.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return text;
}
