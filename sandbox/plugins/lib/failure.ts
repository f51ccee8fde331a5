import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { InitFailed } from "./resource";
import { encode } from "./values";

/**
 * The most of an error's text that is sent, in bytes of its escaped form. An error travels in an HTTP/2
 * header, and Node does not send headers beyond 64 KiB.
 */
const longest = 50_000;

/** An error as gRPC carries it. The state of a resource that exists all the same goes in its details. */
export function toServiceError(error: unknown): ServiceError {
  const message = shorten(error instanceof Error ? error.message : String(error));
  const metadata = new Metadata();
  if (error instanceof InitFailed) {
    const failed = new ErrorResourceInitFailed();
    failed.setId(error.id);
    failed.setProperties(encode(error.outputs));
    failed.setReasonsList([message]);
    const detail = new Any();
    detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const wrapper = new Status();
    wrapper.setCode(status.UNKNOWN);
    wrapper.setMessage(message);
    wrapper.addDetails(detail);
    metadata.add("grpc-status-details-bin", Buffer.from(wrapper.serializeBinary()));
  }
  return Object.assign(new Error(message), { code: status.UNKNOWN, details: message, metadata });
}

/** Keeps the beginning, which says what failed, and the end, which says why. */
function shorten(text: string): string {
  if (escapedLength(text) <= longest) return text;
  // A character takes nine bytes at most: three in UTF-8, each escaped with three.
  const most = Math.floor(longest / 9);
  return `${text.slice(0, Math.floor(most / 4))}\n...\n${text.slice(-Math.floor((most * 3) / 4))}`;
}

function escapedLength(text: string): number {
  return Buffer.from(text).reduce((length, byte) => length + (byte >= 0x20 && byte <= 0x7e ? 1 : 3), 0);
}
