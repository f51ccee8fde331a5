import { serveProvider } from "../lib/provider";
import { container } from "./container";
import { Connection } from "./connection";
import { image } from "./image";
import { network } from "./network";
import { remoteImage } from "./remoteImage";
import { volume } from "./volume";

const connection = new Connection();

serveProvider({
  name: "docker",
  version: "5.2.0",
  // The engine marks what comes back as secret by the inputs of the same name, as for the real one.
  acceptsSecrets: false,
  configuration: { host: { type: "string" }, sshOpts: { type: "string" } },
  configure: (inputs) => {
    connection.configure(inputs);
  },
  resources: {
    "docker:index/container:Container": container(connection),
    "docker:index/image:Image": image(connection),
    "docker:index/network:Network": network(connection),
    "docker:index/remoteImage:RemoteImage": remoteImage(connection),
    "docker:index/volume:Volume": volume(connection),
  },
});
