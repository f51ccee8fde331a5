import { serveProvider } from "../lib/provider";
import type { Resource } from "../lib/resource";
import { composed } from "../lib/values";
import { container } from "./container";
import { Connection } from "./connection";
import { image } from "./image";
import { network } from "./network";
import { remoteImage } from "./remoteImage";
import { volume } from "./volume";

const connection = new Connection();

/** All strings that pass a bridged resource come out in Unicode's composed form. docker.Image is none. */
function bridged(resource: Resource): Resource {
  return {
    ...resource,
    create: (call, news) => resource.create(call, composed(news)),
    update: (call, id, old, news) => resource.update(call, id, old, composed(news)),
  };
}

serveProvider({
  name: "docker",
  version: "5.2.0",
  // The engine marks what comes back as secret by the inputs of the same name, as for the real one.
  acceptsSecrets: false,
  configuration: { host: { type: "string" }, sshOpts: { type: "string" }, registryAuth: { type: "string" } },
  configure: (inputs) => {
    connection.configure(inputs);
  },
  resources: {
    "docker:index/container:Container": bridged(container(connection)),
    "docker:index/image:Image": image(connection),
    "docker:index/network:Network": bridged(network(connection)),
    "docker:index/remoteImage:RemoteImage": bridged(remoteImage(connection)),
    "docker:index/volume:Volume": bridged(volume(connection)),
  },
});
