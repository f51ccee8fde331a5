import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Change } from "./changes";
import { Engine } from "./engine";
import type { Call, Invoke, Resource, State } from "./resource";
import { failuresOf, type Failure, type Inputs } from "./schema";
import { engineAddress, serve, unary } from "./serve";
import { decode, encode, reveal, withoutNulls, type ValueMap } from "./values";

export interface Provider {
  /** Its name in the plugin's: pulumi-resource-<name>. */
  name: string;
  /** The version of the real provider whose behaviour this is. */
  version: string;
  /** Whether the engine may send values marked as secret; otherwise it sends them bare and marks them itself. */
  acceptsSecrets: boolean;
  resources: Readonly<Record<string, Resource>>;
  functions?: Readonly<Record<string, Invoke>>;
  /** What the provider resource itself takes. */
  configuration: Inputs;
  configure?(inputs: ValueMap): Promise<void> | void;
}

const kinds = {
  add: [rpc.PropertyDiff.Kind.ADD, rpc.PropertyDiff.Kind.ADD_REPLACE],
  delete: [rpc.PropertyDiff.Kind.DELETE, rpc.PropertyDiff.Kind.DELETE_REPLACE],
  update: [rpc.PropertyDiff.Kind.UPDATE, rpc.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

/** Serves a provider to the engine that started this process. */
export function serveProvider(provider: Provider): void {
  const engine = new Engine(engineAddress());
  let abort = new AbortController();

  const find = (type: string): Resource => {
    const resource = provider.resources[type];
    if (resource) return resource;
    const known = Object.keys(provider.resources).join(", ");
    throw new Error(
      `the stand-in for pulumi-resource-${provider.name} does not implement ${type}, only ${known}`,
    );
  };
  const callOf = (urn: string): Call => ({
    urn,
    name: urn.split("::").slice(3).join("::"),
    signal: abort.signal,
    progress: (line) => {
      engine.log({ severity: "info", urn, message: line, ephemeral: true });
    },
    report: (severity, message) => {
      engine.log({ severity, urn, message, ephemeral: false });
    },
  });
  // Lines that a finished operation has left in flight would be shown beside the next one.
  const finished = async <T>(operation: Promise<T>): Promise<T> => {
    try {
      return await operation;
    } finally {
      await engine.flush();
    }
  };

  serve(ResourceProviderService, {
    handshake: unary(() => {
      const response = new rpc.ProviderHandshakeResponse();
      response.setAcceptSecrets(provider.acceptsSecrets);
      return response;
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion(`${provider.version}+stand-in`)),
    attach: unary(() => new Empty()),
    cancel: unary(() => {
      abort.abort();
      abort = new AbortController();
      return new Empty();
    }),

    checkConfig: unary((request: rpc.CheckRequest) => {
      const news = withoutNulls(decode(request.getNews()));
      const known = { ...provider.configuration, version: { type: "string" } as const };
      return checkResponse(news, failuresOf(`pulumi:providers:${provider.name}`, known, news));
    }),
    // The real ones never ask that a provider be replaced: nothing is made again because a host was renamed.
    diffConfig: unary(() => new rpc.DiffResponse()),
    configure: unary(async (request: rpc.ConfigureRequest) => {
      await provider.configure?.(reveal(decode(request.getArgs())));
      const response = new rpc.ConfigureResponse();
      response.setAcceptsecrets(provider.acceptsSecrets);
      response.setSupportspreview(true);
      return response;
    }),

    invoke: unary(async (request: rpc.InvokeRequest) => {
      const invoke = provider.functions?.[request.getTok()];
      if (!invoke) {
        throw new Error(
          `the stand-in for pulumi-resource-${provider.name} does not implement ${request.getTok()}`,
        );
      }
      const result = await finished(invoke(callOf(""), withoutNulls(reveal(decode(request.getArgs())))));
      return new rpc.InvokeResponse().setReturn(encode(result));
    }),

    check: unary(async (request: rpc.CheckRequest) => {
      const resource = find(request.getType());
      const news = withoutNulls(decode(request.getNews()));
      const failures = failuresOf(request.getType(), resource.inputs, news);
      if (failures.length > 0 || !resource.check) return checkResponse(news, failures);
      const olds = decode(request.getOlds());
      const call = callOf(request.getUrn());
      const checked = await finished(
        Promise.resolve(resource.check(call, news, olds, request.getRandomseed_asU8())),
      );
      return checkResponse(checked.inputs, checked.failures ?? []);
    }),
    diff: unary((request: rpc.DiffRequest) => {
      const old = { inputs: decode(request.getOldInputs()), outputs: decode(request.getOlds()) };
      const resource = find(request.getType());
      const diff = resource.diff(old, decode(request.getNews()));
      const ignored = resource.diffsAll === true ? [] : request.getIgnorechangesList();
      const changes = diff.changes.filter(
        ({ path, kept }) => kept === true || !ignored.some((pattern) => covers(pattern, path)),
      );
      return diffResponse(changes, diff.deleteBeforeReplace ?? false);
    }),
    create: unary(async (request: rpc.CreateRequest) => {
      const resource = find(request.getType());
      const news = decode(request.getProperties());
      const response = new rpc.CreateResponse();
      if (request.getPreview()) return response.setProperties(encode(resource.preview(news, undefined)));
      const { id, outputs } = await finished(resource.create(callOf(request.getUrn()), news));
      return response.setId(id).setProperties(encode(outputs));
    }),
    read: unary(async (request: rpc.ReadRequest) => {
      const resource = find(request.getType());
      const old: State = { inputs: decode(request.getInputs()), outputs: decode(request.getProperties()) };
      const read = resource.read
        ? await finished(resource.read(callOf(request.getUrn()), request.getId(), old))
        : old;
      const response = new rpc.ReadResponse();
      if (!read) return response;
      return response
        .setId(request.getId())
        .setInputs(encode(read.inputs))
        .setProperties(encode(read.outputs));
    }),
    update: unary(async (request: rpc.UpdateRequest) => {
      const resource = find(request.getType());
      const old = { inputs: decode(request.getOldInputs()), outputs: decode(request.getOlds()) };
      const news = decode(request.getNews());
      const outputs = request.getPreview()
        ? resource.preview(news, old)
        : await finished(resource.update(callOf(request.getUrn()), request.getId(), old, news));
      return new rpc.UpdateResponse().setProperties(encode(outputs));
    }),
    delete: unary(async (request: rpc.DeleteRequest) => {
      const old = { inputs: decode(request.getOldInputs()), outputs: decode(request.getProperties()) };
      await finished(find(request.getType()).delete(callOf(request.getUrn()), request.getId(), old));
      return new Empty();
    }),
  });
}

/** Whether an entry of `ignoreChanges` names this path, or something that the path is a part of. */
function covers(pattern: string, path: string): boolean {
  return (
    pattern === "*" || path === pattern || path.startsWith(`${pattern}.`) || path.startsWith(`${pattern}[`)
  );
}

function checkResponse(inputs: ValueMap, failures: Failure[]): rpc.CheckResponse {
  const response = new rpc.CheckResponse().setInputs(encode(inputs));
  for (const failure of failures) {
    response.addFailures(new rpc.CheckFailure().setProperty(failure.property).setReason(failure.reason));
  }
  return response;
}

function diffResponse(changes: Change[], deleteBeforeReplace: boolean): rpc.DiffResponse {
  const response = new rpc.DiffResponse();
  response.setChanges(
    changes.length === 0 ? rpc.DiffResponse.DiffChanges.DIFF_NONE : rpc.DiffResponse.DiffChanges.DIFF_SOME,
  );
  response.setHasdetaileddiff(changes.length > 0);
  for (const { path, kind, replace } of changes) {
    const detail = new rpc.PropertyDiff();
    detail.setKind(kinds[kind][replace ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
    response.addDiffs(path);
    if (replace) response.addReplaces(path);
  }
  response.setDeletebeforereplace(deleteBeforeReplace && changes.some((change) => change.replace));
  return response;
}
