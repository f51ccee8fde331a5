import { BinaryReader } from "google-protobuf";

/**
 * The lines to show for one of BuildKit's trace messages: the name of a step that begins, and what it prints.
 * `message` is the protobuf message moby.buildkit.v1.StatusResponse, in base64.
 */
export function progressLines(message: string): string[] {
  const lines: string[] = [];
  const reader = new BinaryReader(message);
  while (reader.nextField()) {
    if (reader.getFieldNumber() === 1) lines.push(...stepLines(new BinaryReader(reader.readBytes())));
    else if (reader.getFieldNumber() === 3) lines.push(...logLines(new BinaryReader(reader.readBytes())));
    else reader.skipField();
  }
  return lines;
}

/** A Vertex: shown when it has started and not yet completed, so that each step is named once. */
function stepLines(vertex: BinaryReader): string[] {
  let name = "";
  let started = false;
  let completed = false;
  while (vertex.nextField()) {
    if (vertex.getFieldNumber() === 3) name = vertex.readString();
    else {
      started ||= vertex.getFieldNumber() === 5;
      completed ||= vertex.getFieldNumber() === 6;
      vertex.skipField();
    }
  }
  return started && !completed ? [name] : [];
}

/** A VertexLog: what a step has printed. */
function logLines(log: BinaryReader): string[] {
  let text = "";
  while (log.nextField()) {
    if (log.getFieldNumber() === 4) text = new TextDecoder().decode(log.readBytes());
    else log.skipField();
  }
  return text.split("\n").filter((line) => line.trim() !== "");
}
