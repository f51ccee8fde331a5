import type { Config, ServiceConfig } from "../config/schema";

/** Which services a visitor meets under which host name. */

export type Routed = readonly [name: string, service: ServiceConfig];

export interface HostGroup {
  readonly hosts: readonly string[];
  readonly services: readonly Routed[];
}

/** Host names with the same services are one site. The site's own domain comes first, also when nothing is routed there. */
export function hostGroups(config: Config, http: readonly Routed[]): HostGroup[] {
  const names = [...new Set([...config.domain, ...http.flatMap(([, { host }]) => host)])];
  const groups = new Map<string, { hosts: string[]; services: readonly Routed[] }>();
  for (const host of names) {
    const services = http.filter(([, one]) => hostsOf(config, one).includes(host));
    const key = services.map(([name]) => name).join();
    const group = groups.get(key) ?? { hosts: [], services };
    group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The host names that a service's routes are served under. */
export function hostsOf({ domain }: Config, { host }: ServiceConfig): readonly string[] {
  return host.length > 0 ? host : domain;
}
