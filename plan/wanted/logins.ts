import type { Config } from "../config/schema";

/** Logins to registries, as docker's client and docker's provider want them. */

type Registries = Config["registries"];

/** Docker's own registry has three names, and images on it mostly none. */
const HUB = { name: "docker.io", key: "https://index.docker.io/v1/", address: "registry-1.docker.io" };

/** The registries that a build may pull from: those which its Dockerfile or its arguments name. */
export function registriesOf(
  registries: Registries,
  dockerfile: string,
  args: Readonly<Record<string, string>>,
): Registries {
  const texts = [dockerfile, ...Object.values(args)];
  return Object.fromEntries(
    Object.entries(registries).filter(
      ([name]) => name === HUB.name || texts.some((one) => one.includes(name)),
    ),
  );
}

/** config.json of docker's client. */
export function clientConfig(registries: Registries): string {
  const auths = Object.entries(registries).map(([name, { username, password }]) => [
    name === HUB.name ? HUB.key : name,
    { auth: Buffer.from(`${username}:${password}`, "utf8").toString("base64") },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

/** What docker's provider pulls with. */
export function providerLogins(
  registries: Registries,
): { address: string; username: string; password: string }[] {
  return Object.entries(registries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, login]) => ({ address: name === HUB.name ? HUB.address : name, ...login }));
}
