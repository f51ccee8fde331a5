import type { Config } from "../config/schema";
import type { Facts } from "../found/facts";
import { builtBefore } from "../found/record";
import { generation, hasImage } from "../found/present";
import type { Build } from "../wanted/build";
import { registriesOf } from "../wanted/logins";

/**
 * Where each image comes from: kept on the host from an earlier release, built on the host, or built on the deployer's
 * machine and shipped. A pure function of config and facts, and sticky: what serves says where it was built, so that
 * the same `up` again changes nothing, however much memory there is by then.
 */
export type ImageChoice = KeptImage | MadeImage;

interface Choice {
  readonly service: string;
  readonly tag: string;
  readonly generation: number;
  /** For a person, of an image that is built or was kept: where and why. */
  readonly why: string;
}

/** On the host from an earlier release; Pulumi knows nothing of it. */
export interface KeptImage extends Choice {
  readonly place: "kept";
  readonly builds: false;
}

export interface MadeImage extends Choice {
  readonly place: "host" | "local";
  /**
   * Whether docker's own client builds it where docker's provider could: the provider hands a build neither secrets nor
   * logins to several registries.
   */
  readonly client: boolean;
  /** Whether this very `up` builds it; else it is on the host already. */
  readonly builds: boolean;
  readonly build: Build;
}

/** MiB that a build is taken to need as long as none was measured: `npm ci` and a bundler stay below it. */
export const ASSUMED_NEED = 512;
/** MiB: a build that found everything in the cache measures nothing, and the next one may not. */
export const LEAST_NEED = 128;
/** The part of the host's memory that a build leaves free: what serves may grow meanwhile. */
const RESERVE = 1 / 8;

export function chooseImage(
  config: Config,
  service: string,
  tag: string,
  build: Build,
  facts: Facts,
): ImageChoice {
  const before = facts.current && builtBefore(service, facts.current.record)?.build;
  const found = hasImage(facts, tag);
  const same = { service, tag, generation: generation(facts, `image:${tag}`) };
  if (found === "intact") {
    const serves = before?.hash === build.hash;
    if (!serves) return keptImage(service, tag, facts, "kept from an earlier release: no build");
    return before.place === "kept"
      ? keptImage(service, tag, facts, "")
      : { ...same, place: before.place, client: before.client ?? false, builds: false, build, why: "" };
  }
  const { place, why } = choosePlace(config, service, facts);
  const client = needsClient(config, service, build);
  return { ...same, place, client, builds: true, build, why: `${drift(found, facts, tag)}${why}` };
}

export function keptImage(service: string, tag: string, facts: Facts, why: string): KeptImage {
  return { service, tag, place: "kept", builds: false, generation: generation(facts, `image:${tag}`), why };
}

function needsClient({ services, registries }: Config, service: string, build: Build): boolean {
  const secrets = Object.keys(services[service]?.buildSecrets ?? {});
  const logins = Object.keys(registriesOf(registries, build.instructions, build.args));
  return secrets.length + logins.length > 0;
}

function drift(found: ReturnType<typeof hasImage>, { seen }: Facts, tag: string): string {
  if (found === "other") return "the image was changed by hand: built again; ";
  return found === "absent" && seen.has(`image:${tag}`)
    ? "the image is gone from the host: built again; "
    : "";
}

function choosePlace(
  config: Config,
  service: string,
  facts: Facts,
): { place: MadeImage["place"]; why: string } {
  const { address, memory } = config.host;
  // Both are the same engine.
  if (address === "local") return { place: "host", why: "built on this machine's engine" };
  if (config.build === "local") return { place: "local", why: "built here and shipped, as configured" };
  const spare = roomForBuild(facts, memory);
  const need = needOf(config, service, facts);
  if (spare === undefined) return { place: "host", why: "built on the host" };
  const room = spare < 0 ? "none" : `${spare}`;
  if (config.build === "host")
    return {
      place: "host",
      why: `built on the host, as configured (${need.mib} MiB ${need.kind}, ${room} to spare)`,
    };
  return need.mib <= spare
    ? { place: "host", why: `built on the host (${need.mib} MiB ${need.kind}, ${room} to spare)` }
    : {
        place: "local",
        why: `built here and shipped: ${need.mib - spare} MiB too little on the host (${need.mib} ${need.kind}, ${room} to spare)`,
      };
}

function needOf(config: Config, service: string, facts: Facts): { mib: number; kind: string } {
  const configured = config.services[service]?.buildMemory;
  if (configured !== undefined) return { mib: configured, kind: "configured" };
  const measured = facts.buildNeeds.get(service);
  return measured === undefined
    ? { mib: ASSUMED_NEED, kind: "assumed" }
    : { mib: Math.max(measured, LEAST_NEED), kind: "measured" };
}

/**
 * MiB that a build may take on the host: what is free now, less a reserve. Use counts here and not limits: a build runs
 * before anything new starts, and lasts a minute; limits would forbid it on every host that is made for what it serves.
 */
export function roomForBuild({ memory }: Facts, limit: number | undefined): number | undefined {
  if (memory === undefined) return undefined;
  const { total, used, ours } = memory;
  const mib = (kib: number) => Math.floor(kib / 1024);
  const share = limit === undefined ? mib(total - used) : Math.min(mib(total - used), limit - mib(ours));
  return share - Math.ceil(Math.min(mib(total), limit ?? mib(total)) * RESERVE);
}

/** A line for each image that does not just stay. */
export function explainImages(images: readonly ImageChoice[]): string[] {
  return images.filter(({ why }) => why !== "").map(({ service, why }) => `image of ${service}: ${why}`);
}
