import { connect } from "node:net";
import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { toServiceError } from "./failure";

/** How often a plugin looks whether its engine is still there, in milliseconds. */
const engineCheck = 500;

let callsUnderWay = 0;

/** Makes a gRPC handler of an async function; what it throws is the call's error. */
export function unary<Request, Response>(
  handle: (request: Request) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    callsUnderWay += 1;
    void (async () => {
      try {
        callback(null, await handle(call.request));
      } catch (error) {
        callback(toServiceError(error));
      } finally {
        callsUnderWay -= 1;
      }
    })();
  };
}

/** The engine's address: plugins get it as their last argument. Throws when there is none. */
export function engineAddress(): string {
  const address = process.argv.slice(2).findLast((argument) => !argument.startsWith("-"));
  if (address === undefined)
    throw new Error("this is a Pulumi plugin: the engine starts it, with its own address");
  return address;
}

/** Serves a plugin's protocol on a free port and tells the engine which one, in the first line of output. */
export function serve<T>(service: ServiceDefinition<T>, implementation: UntypedServiceImplementation): void {
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(service, implementation);
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
  // A killed engine leaves the other ends of these pipes closed; what is to be said of that is said below.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  leaveWithEngine(engineAddress());
}

/** What is done before a plugin ends whose engine is gone. */
const farewells: (() => void)[] = [];

/** @param farewell for what is under way: a command that was begun does not go on without its engine */
export function whenEngineIsGone(farewell: () => void): () => void {
  farewells.push(farewell);
  return () => void farewells.splice(farewells.indexOf(farewell), 1);
}

/** An engine that was killed does not stop its plugins: one that finds it gone ends what is under way, and itself. */
function leaveWithEngine(address: string): void {
  const port = Number(address.split(":").at(-1));
  setInterval(() => {
    const probe = connect(port, "127.0.0.1");
    probe.on("connect", () => probe.destroy());
    probe.on("error", () => {
      for (const farewell of farewells) farewell();
      if (callsUnderWay === 0) process.exit(0);
    });
  }, engineCheck).unref();
}
