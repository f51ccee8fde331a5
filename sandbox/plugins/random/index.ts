import { serveProvider } from "../lib/provider";
import { randomPassword } from "./password";

serveProvider({
  name: "random",
  version: "4.21.2",
  acceptsSecrets: false,
  configuration: {},
  resources: { "random:index/randomPassword:RandomPassword": randomPassword },
});
