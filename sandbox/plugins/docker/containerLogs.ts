import type { DockerEngine } from "./engine";

/** Everything that a container without a terminal has printed, both streams in the order of their coming. */
export async function containerLogs(engine: DockerEngine, id: string): Promise<string> {
  const framed = await engine.bytes("GET", `/containers/${id}/logs`, { query: { stdout: "1", stderr: "1" } });
  const parts: Buffer[] = [];
  // Each piece has a header of 8 bytes: which stream, three of no meaning, and its length.
  for (let at = 0; at + 8 <= framed.length;) {
    const end = at + 8 + framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}
