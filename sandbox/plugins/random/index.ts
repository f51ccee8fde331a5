import { serveProvider } from "../lib/provider";
import { randomPassword } from "./password";
import { randomUuid } from "./uuid";

serveProvider({
  name: "random",
  version: "4.21.2",
  acceptsSecrets: false,
  configuration: {},
  resources: {
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomUuid:RandomUuid": randomUuid,
  },
});
