import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a port of this machine that is as long as one to a server elsewhere: each direction takes its time. */
export class Relay {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param roundTrip milliseconds, half of them each way */
  static async to(target: number, roundTrip: number): Promise<Relay> {
    const server = createServer((near) => {
      const far = connect(target, "127.0.0.1");
      delayed(near, far, roundTrip / 2);
      delayed(far, near, roundTrip / 2);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port could be had");
    return new Relay(server, address.port);
  }

  close(): void {
    this.server.close();
  }
}

/** What comes in goes out in its order, so many milliseconds later; so does the end. */
function delayed(from: Socket, to: Socket, delay: number): void {
  from.setNoDelay(true);
  from.on("data", (bytes) => setTimeout(() => to.writable && to.write(bytes), delay));
  from.on("end", () => setTimeout(() => to.end(), delay));
  from.on("close", () => setTimeout(() => to.destroy(), delay));
  from.on("error", () => undefined);
}
