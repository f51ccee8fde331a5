import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { askImageUser } from "../host/askImage";
import { generation, imageConfig } from "../plan/found/present";
import type { CreatedContainer } from "../plan/release/wire";
import {
  type ContainerSpec,
  type Health,
  type NamedContainer,
  RESTART_POLICY,
  serves,
} from "../plan/wanted/container";
import { DOORS } from "../plan/wanted/doors";
import { type EnvValue, filledIn } from "../plan/wanted/environment";
import { asksImage, userOf } from "../plan/wanted/security";
import type { Host } from "./host";
import { httpProbe } from "./probe";

/**
 * The one rule: Pulumi creates a container and never starts, stops, changes or deletes it. So nothing that serves can
 * be harmed by the engine, whatever is killed, reverted or changed by hand; only the runner on the host acts.
 *
 * No fixed name (one left by a killed run would block the next), found by labels, reached by its key as alias.
 *
 * @param image the resource that brings its image; undefined: the image is there already
 */
export function createContainer(
  host: Host,
  { spec, key }: NamedContainer,
  password: pulumi.Output<string> | undefined,
  parent: pulumi.Resource,
  image: pulumi.CustomResource | undefined,
  volumes: readonly pulumi.Resource[],
): pulumi.Output<CreatedContainer> {
  const made = generation(host.facts, key);
  const { provider, dependsOn: always } = host.childOptions;
  const container = new docker.Container(
    key,
    {
      ...arguments_(spec, key, host),
      user: userFor(spec, host, image),
      // All of it: a value that somebody took for harmless stands nowhere in plain text either.
      envs: pulumi.secret(
        Object.entries(spec.env).map(([name, value]) => environmentLine(name, value, password)),
      ),
    },
    {
      parent,
      provider,
      dependsOn: [...(image ? [image] : []), ...volumes, ...always],
      ignoreChanges: ["*"],
      retainOnDelete: true,
      replacementTrigger: made,
      // What the provider gives back of it, whether or not that provider keeps secrets apart.
      additionalSecretOutputs: ["envs"],
      deleteBeforeReplace: false,
    },
  );
  return container.id.apply((id) => ({ key, id, spec, generation: made }));
}

function arguments_(spec: ContainerSpec, key: string, host: Host): docker.ContainerArgs {
  const role = spec.role;
  return {
    image: spec.image,
    entrypoints: spec.entrypoint && [...spec.entrypoint],
    command: spec.command && [...spec.command],
    start: false,
    mustRun: false,
    restart: serves(role) ? RESTART_POLICY : "no",
    init: true,
    memory: spec.memory,
    // Memory and swap together: no swapping, a service that outgrows its limit is restarted, and its neighbours live.
    memorySwap: spec.memory,
    readOnly: spec.readOnly,
    capabilities: { drops: ["ALL"], adds: [...spec.capabilities] },
    securityOpts: spec.newPrivileges ? [] : ["no-new-privileges:true"],
    tmpfs: Object.fromEntries(spec.tmpfs.map((path) => [path, ""])),
    mounts: spec.mounts.map(({ type, source, target, readOnly }) => ({
      type,
      source,
      target,
      readOnly: readOnly ?? false,
    })),
    ...(role === "messenger" ? { networkMode: "host", stdinOpen: true } : { networkMode: "bridge" }),
    networksAdvanced: spec.networks.map((network) => ({
      name: networkName(host, network),
      aliases: [key, ...spec.aliases],
    })),
    ports: spec.ports.map(({ internal, external, ip, protocol = "tcp" }) => ({
      internal,
      external,
      ip,
      protocol,
    })),
    healthcheck: healthCheck(spec.health, spec.startTimeout),
    stopTimeout: spec.stopGrace,
    destroyGraceSeconds: spec.stopGrace,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    labels: [
      ...host.stackLabels,
      { label: "deploy.service", value: spec.service },
      { label: "deploy.role", value: role },
      { label: "deploy.key", value: key },
    ],
  };
}

/**
 * Where the image decides, and has come to be in this run, it is asked itself. A container that is there keeps its user
 * whatever is said here.
 */
function userFor(
  { user, image: reference }: ContainerSpec,
  { facts, connection }: Host,
  image: pulumi.CustomResource | undefined,
): pulumi.Input<string> | undefined {
  const said = (ofImage: string) => userOf(user, ofImage) || undefined;
  if (!asksImage(user)) return said("");
  const known = imageConfig(facts, reference);
  if (known !== undefined) return said(known.user);
  if (pulumi.runtime.isDryRun()) return undefined;
  const there = image?.id ?? pulumi.output("");
  return there.apply(() => askImageUser(connection, reference)).apply(said) as pulumi.Output<string>;
}

function networkName({ networks }: Host, kind: "edge" | "data"): pulumi.Output<string> {
  const name = networks[kind];
  if (name === undefined) throw new Error(`a container needs the network ${kind}, and there is none`);
  return name;
}

function environmentLine(
  name: string,
  value: EnvValue,
  password: pulumi.Output<string> | undefined,
): pulumi.Input<string> {
  if ("plain" in value) return `${name}=${value.plain}`;
  if ("secret" in value) return `${name}=${value.secret}`;
  if (password === undefined)
    throw new Error(`${name} needs the database's password, and there is no database`);
  return password.apply((text) => `${name}=${filledIn(value, text)}`);
}

function healthCheck(health: Health, startPeriod: number): docker.ContainerArgs["healthcheck"] {
  if (health.kind === "none") return undefined;
  const times = { interval: "30s", timeout: "10s", retries: 3, startPeriod: duration(startPeriod) };
  return { tests: healthTests(health), ...times };
}

function healthTests(health: Exclude<Health, { kind: "none" }>): string[] {
  switch (health.kind) {
    case "exec":
      return ["CMD-SHELL", health.command];
    case "proxy": {
      const request = ["--unix-socket", DOORS.ready, "http://localhost/ready"];
      return ["CMD", "curl", "-fsS", "-m", "5", "-o", "/dev/null", ...request];
    }
    case "http":
      return httpProbe(health);
  }
}

/**
 * As docker's provider keeps it, in Go's own form: 2m0s. Of any other form, such as 120s, it would find a change in every
 * container at the next `up`.
 *
 * @param seconds a whole number
 */
export function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = [...(hours > 0 ? [`${hours}h`] : []), ...(hours > 0 || minutes > 0 ? [`${minutes}m`] : [])];
  return `${parts.join("")}${seconds % 60}s`;
}
