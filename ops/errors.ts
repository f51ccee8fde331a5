import { EXIT } from "./exit";

/** Told in words, without a stack trace. */
export class OpsError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}
