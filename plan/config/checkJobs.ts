import { suggestion } from "./errors";

/** What jobs, and the services that are there for jobs alone, must have and must not have. */

interface DraftService {
  readonly replicas: number;
  readonly needs: readonly string[];
  readonly route: readonly string[];
  readonly publish: readonly unknown[];
  readonly port?: unknown;
  readonly health?: unknown;
  readonly healthCommand?: unknown;
  readonly migrate?: unknown;
}
type Services = readonly (readonly [name: string, service: DraftService])[];

/** @param jobs as far as they can be read: name -> its service */
export function checkJobs(jobs: ReadonlyMap<string, string | undefined>, services: Services): string[] {
  const names = services.map(([name]) => name);
  const idle = services.filter(([, { replicas }]) => replicas === 0);
  const problems = [...jobs].flatMap(([job, service]) =>
    service === undefined || names.includes(service)
      ? []
      : [
          `jobs.${job}.service: there is no service ${JSON.stringify(service)}${suggestion(service, names)}: a job runs in the ` +
            "image of a service; for an image of its own, configure one with replicas: 0",
        ],
  );
  if (services.length > 0 && idle.length === services.length)
    problems.push("services: none of them runs (replicas: 0): a stack has at least one that does");
  return [...problems, ...idle.flatMap((one) => checkIdle(one, jobs, services))];
}

function checkIdle(
  [name, service]: Services[number],
  jobs: ReadonlyMap<string, string | undefined>,
  services: Services,
): string[] {
  const { route, publish, port, health, healthCommand, migrate } = service;
  const given = [
    ...(route.length > 0 ? ["route"] : []),
    ...(publish.length > 0 ? ["publish"] : []),
    ...Object.entries({ port, health, healthCommand, migrate }).flatMap(([key, value]) =>
      value === undefined ? [] : [key],
    ),
  ];
  return [
    ...(given.length === 0
      ? []
      : [
          `services.${name}.replicas: with 0 nothing of it runs but its jobs: take out ${given.join(", ")}, or replicas`,
        ]),
    ...([...jobs.values()].includes(name)
      ? []
      : [
          `services.${name}.replicas: is 0, and no job has it as its service: give it one in jobs, or take the service out`,
        ]),
    ...services
      .filter(([, { needs }]) => needs.includes(name))
      .map(
        ([other]) =>
          `services.${other}.needs: ${name} never runs (replicas: 0): take it out, or replicas there`,
      ),
  ];
}
