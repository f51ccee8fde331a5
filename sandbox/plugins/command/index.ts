import { serveProvider } from "../lib/provider";
import { localCommand } from "./local";
import { localRun } from "./localRun";

serveProvider({
  name: "command",
  version: "1.2.1",
  acceptsSecrets: true,
  configuration: {},
  resources: { "command:local:Command": localCommand },
  functions: { "command:local:run": localRun },
});
