import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

interface Line {
  severity: "info" | "warning";
  urn: string;
  message: string;
  /** Gone when the operation ends, not kept among the diagnostics. */
  ephemeral: boolean;
}

/** A backlog of more lines than this is sent together: a flood of output must not hold up the operation. */
const backlog = 100;

/** The engine that started this plugin: where lines for the person at the terminal go. */
export class Engine {
  private readonly client: EngineClient;
  private readonly waiting: Line[] = [];
  private sending: Promise<void> | undefined;

  constructor(address: string) {
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  /** Shows a line, after those before it: each waits until the engine has the last. */
  log(line: Line): void {
    const last = this.waiting.at(-1);
    if (this.waiting.length >= backlog && last && last.urn === line.urn && last.ephemeral && line.ephemeral) {
      last.message += `\n${line.message}`;
    } else {
      this.waiting.push(line);
    }
    this.sending ??= this.sendAll();
  }

  /** Resolves when every line so far has arrived. */
  async flush(): Promise<void> {
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    for (let line = this.waiting.shift(); line; line = this.waiting.shift()) await this.send(line);
    this.sending = undefined;
  }

  private send({ severity, urn, message, ephemeral }: Line): Promise<void> {
    const request = new LogRequest()
      .setSeverity(severity === "info" ? LogSeverity.INFO : LogSeverity.WARNING)
      .setUrn(urn)
      .setMessage(message)
      .setEphemeral(ephemeral);
    return new Promise((resolve) => {
      // An engine that is gone has no use for the line.
      this.client.log(request, () => {
        resolve();
      });
    });
  }
}
