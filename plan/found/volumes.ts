import type { Config } from "../config/schema";
import { databaseVolume } from "../wanted/container";
import { leaves } from "../wanted/identity";
import { fullName, serviceVolume, type StackNames, volumeName } from "../wanted/names";
import type { Facts } from "./facts";

/** A volume that the config asks for, by its full name. */
interface WantedVolume {
  readonly path: string;
  readonly name: string;
  /** Named in full by the config, so that data of another stack that is gone can be adopted. */
  readonly named: boolean;
}

function wantedVolumes(config: Config, names: StackNames): WantedVolume[] {
  const services = Object.entries(config.services).flatMap(([service, { volumes }]) =>
    volumes.map((volume, i) => ({
      path: `services.${service}.volumes[${i}].${volume.volume === undefined ? "name" : "volume"}`,
      name: serviceVolume(names, volume),
      named: volume.volume !== undefined,
    })),
  );
  const { database } = config;
  return [
    ...services,
    { path: "proxy", name: volumeName(names, "proxy"), named: false },
    ...(database === undefined
      ? []
      : [
          {
            path: "database.volume",
            name: databaseVolume(database, names),
            named: database.volume !== undefined,
          },
        ]),
  ];
}

/**
 * Why a volume cannot be had: names are put together from project, stack and name with dashes, so two stacks can mean
 * the same one; and `database.volume` may name any.
 */
export function volumeProblems(config: Config, names: StackNames, facts: Facts): string[] {
  const wanted = wantedVolumes(config, names);
  const ours = fullName(names);
  return wanted.flatMap(({ path, name, named }) => {
    const twice = path === "database.volume" && wanted.find((one) => one.path !== path && one.name === name);
    if (twice) {
      return [`${path}: ${name} is the volume of ${twice.path.replace(/\.name$/, "")} already: name another`];
    }
    const maker = facts.volumes.find((one) => one.name === name)?.stack;
    if (maker !== undefined && maker !== ours && !named) {
      return [
        `${path}: the volume ${name} on the host belongs to the stack ${maker}: ` +
          (path === "proxy" ? "give this stack another name" : "use another name"),
      ];
    }
    const user = facts.mounts.find(
      ({ stack, state, sources }) =>
        sources.includes(name) && stack !== ours && (stack !== undefined || state === "running"),
    );
    if (user === undefined) return [];
    const who = user.stack === undefined ? "a container that is not ours" : `the stack ${user.stack}`;
    return [
      `${path}: the volume ${name} on the host is used by ${who} (docker ps -a --filter volume=${name}): ` +
        "two that write to it would destroy the data. Stop and remove that one first, or use another name",
    ];
  });
}

/** The volumes that this release takes over with what is in them, in words; none that the stack has used before. */
export function adoptedVolumes(config: Config, names: StackNames, facts: Facts): string[] {
  const containers = Object.values(facts.current?.record.containers ?? {});
  const used = new Set(containers.flatMap(({ parts }) => Object.values(parts)));
  const adopted = wantedVolumes(config, names).flatMap(({ path, name }) => {
    const found = facts.volumes.find((one) => one.name === name);
    if (found === undefined || path === "proxy" || used.has(leaves(name)[""] ?? "")) return [];
    const from =
      found.stack === undefined ? "" : ` of ${found.stack === fullName(names) ? "this stack" : found.stack}`;
    return [`adopts the existing volume ${name}${from} with its data`];
  });
  return [...new Set(adopted)];
}
