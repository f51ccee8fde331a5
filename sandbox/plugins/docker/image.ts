import { existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { inputChanges } from "../lib/changes";
import type { Call, Resource } from "../lib/resource";
import { hasUnknown, isMap, reveal, Secret, type Value, type ValueMap } from "../lib/values";
import { contextArchive, contextDigest, type BuildContext } from "./buildContext";
import { progressLines } from "./buildProgress";
import type { Connection } from "./connection";
import type { DockerEngine } from "./engine";
import { findLocal } from "./localImages";

const buildMessage = z.object({
  id: z.string().optional(),
  aux: z.unknown().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
});

/**
 * docker.Image. Any change, the context's hash included, is a full build in place, with the whole context sent.
 * What happens to the image on the host later goes unnoticed, and nothing is ever removed.
 */
export function image(connection: Connection): Resource {
  return {
    inputs: {
      imageName: { type: "string", required: true },
      skipPush: { type: "boolean", required: true },
      buildOnPreview: { type: "boolean" },
      build: {
        type: "object",
        fields: {
          context: { type: "string" },
          dockerfile: { type: "string" },
          target: { type: "string" },
          args: { type: "map" },
          platform: { type: "string" },
          builderVersion: { type: "string", oneOf: ["BuilderBuildKit"] },
          contextDigest: { type: "string" },
        },
      },
    },

    async check(call, news) {
      const failures = [
        ...refuse(news, "skipPush", false, "the stand-in for docker:index/image:Image does not push"),
        ...refuse(
          news,
          "buildOnPreview",
          true,
          "the stand-in for docker:index/image:Image does not build in previews",
        ),
      ];
      if (failures.length > 0 || hasUnknown(news["build"])) return { inputs: news, failures };
      const build = isMap(news["build"]) ? news["build"] : {};
      const context = contextOf(build);
      mustExist(context);
      if (build["platform"] === undefined) {
        call.report(
          "info",
          `Building your image for ${clientPlatform} architecture.\nTo ensure you are building for the correct ` +
            "platform, consider explicitly setting the `platform` field on ImageBuildOptions.",
        );
      }
      const checked = {
        platform: clientPlatform,
        ...build,
        context: context.folder,
        dockerfile: context.dockerfile,
        contextDigest: await contextDigest(context),
      };
      return { inputs: { buildOnPreview: false, ...news, build: checked } };
    },

    diff(old, news) {
      const before = old.outputs["__inputs"];
      return { changes: inputChanges(isMap(before) ? before : old.inputs, news) };
    },

    // The context's hash, which is made anew at each check.
    diffsAll: true,

    preview: (news) => news,

    async create(call, news) {
      return { id: textOf(news["imageName"]), outputs: await build(connection.engine, call, news) };
    },

    update: (call, _, __, news) => build(connection.engine, call, news),

    delete: () => Promise.resolve(),
  };
}

/** The platform of the machine that Pulumi runs on, as Docker names it. */
const clientPlatform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;

/** Builds, and makes the outputs: with nothing pushed, the digest is the ID of the image on the host. */
async function build(engine: DockerEngine, call: Call, news: ValueMap): Promise<ValueMap> {
  const name = textOf(news["imageName"]);
  const inputs = isMap(news["build"]) ? news["build"] : {};
  const context = contextOf(inputs);
  const platform = textOf(inputs["platform"]);
  const target = textOf(inputs["target"]);
  call.progress("Building the image");
  const { archive, dockerfile } = contextArchive(context);
  const messages = engine.messages(buildMessage, "POST", "/build", {
    query: {
      version: "2",
      t: name,
      dockerfile,
      ...(platform === "" ? {} : { platform }),
      ...(target === "" ? {} : { target }),
      ...(isMap(inputs["args"]) ? { buildargs: JSON.stringify(reveal(inputs["args"])) } : {}),
    },
    archive,
    signal: call.signal,
  });
  for await (const message of messages) {
    if (message.error !== undefined) throw new Error(message.error);
    if (message.id === "moby.buildkit.trace" && typeof message.aux === "string") {
      for (const line of progressLines(message.aux)) call.progress(line);
    } else if (message.stream !== undefined) call.progress(message.stream.trimEnd());
  }
  const built = await findLocal(engine, name);
  if (!built) throw new Error(`Error response from daemon: No such image: ${name}`);
  return {
    imageName: name,
    baseImageName: name,
    repoDigest: built.id,
    context: context.folder,
    dockerfile: relative(context.folder, context.dockerfile),
    platform,
    registryServer: "",
    __inputs: new Secret(news),
  };
}

function contextOf(build: ValueMap): BuildContext {
  const folder = textOf(build["context"]) || ".";
  return { folder, dockerfile: textOf(build["dockerfile"]) || join(folder, "Dockerfile") };
}

/** Throws with what the real provider says, and with the path that was probably meant. */
function mustExist({ folder, dockerfile }: BuildContext): void {
  if (existsSync(dockerfile)) return;
  const reason = `stat ${dockerfile}: no such file or directory`;
  if (isAbsolute(dockerfile)) {
    throw new Error(
      `expected a relative Dockerfile path; got ${JSON.stringify(dockerfile)} instead: ${reason}`,
    );
  }
  const meant = join(folder, dockerfile);
  const path = JSON.stringify(dockerfile);
  if (!existsSync(meant)) throw new Error(`could not open dockerfile at relative path ${path}: ${reason}`);
  throw new Error(
    `could not open dockerfile at relative path ${path}. Try setting \`dockerfile\` to ${JSON.stringify(meant)}`,
  );
}

function refuse(
  news: ValueMap,
  property: string,
  value: Value,
  reason: string,
): { property: string; reason: string }[] {
  return news[property] === value ? [{ property, reason }] : [];
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
