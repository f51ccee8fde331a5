import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** The engine that started this plugin: where lines for the person at the terminal go. */
export class Engine {
  private readonly client: EngineClient;
  /** The last line that was sent: each waits for the one before, so that they arrive in order. */
  private last: Promise<void> = Promise.resolve();

  constructor(address: string) {
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  /** Shows a line beside the resource. An ephemeral one is not kept among the diagnostics. */
  log(severity: "info" | "warning", urn: string, message: string, ephemeral: boolean): void {
    const request = new LogRequest();
    request.setSeverity(severity === "info" ? LogSeverity.INFO : LogSeverity.WARNING);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    this.last = this.last.then(
      () =>
        new Promise((resolve) => {
          // An engine that is gone has no use for the line.
          this.client.log(request, () => {
            resolve();
          });
        }),
    );
  }

  /** Resolves when every line so far has arrived. */
  flush(): Promise<void> {
    return this.last;
  }
}
