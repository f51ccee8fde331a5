import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { toServiceError } from "../lib/failure";
import { engineAddress, serve, unary } from "../lib/serve";
import { installDependencies } from "./install";
import { requiredPackages } from "./packages";
import { Programs } from "./program";

const programs = new Programs(engineAddress());

serve(LanguageRuntimeService, {
  handshake: unary(() => new rpc.LanguageHandshakeResponse()),
  getPluginInfo: unary(() => new PluginInfo().setVersion("3.250.0+stand-in")),
  run: unary((request: rpc.RunRequest) => programs.run(request)),
  cancel: unary(() => {
    programs.stop();
    return new Empty();
  }),
  getRequiredPackages: unary((request: rpc.GetRequiredPackagesRequest) =>
    new rpc.GetRequiredPackagesResponse().setPackagesList(
      requiredPackages(request.getInfo()?.getProgramDirectory() ?? process.cwd()),
    ),
  ),
  runtimeOptionsPrompts: unary(() => new rpc.RuntimeOptionsResponse()),
  about: unary(() => {
    const response = new rpc.AboutResponse();
    return response.setExecutable(process.execPath).setVersion(process.version);
  }),
  installDependencies: (
    call: ServerWritableStream<rpc.InstallDependenciesRequest, rpc.InstallDependenciesResponse>,
  ) => {
    const directory = call.request.getInfo()?.getProgramDirectory() ?? call.request.getDirectory();
    installDependencies(directory, (text) => {
      call.write(new rpc.InstallDependenciesResponse().setStdout(Buffer.from(text)));
    }).then(
      () => call.end(),
      (error: unknown) => call.emit("error", toServiceError(error)),
    );
  },
});
