import { ConfigError } from "../config/errors";
import { readValues } from "../config/read";
import type { Config } from "../config/schema";
import type { Entry } from "../found/entry";
import type { Facts } from "../found/facts";
import { isReady, lackedSecrets, obstacles, type Today } from "../found/ledger";
import { type ReleaseRecord, releaseRecord } from "../found/record";
import { secretDigest } from "../wanted/identity";

/**
 * Going back to an earlier release by `rollbackTo`: that release's config and images with today's secrets, planned and
 * gated like any other release. What says how to deploy (host, build, checks, keep) stays as it is today.
 */
export interface Pin {
  readonly entry: Entry;
  /** What it ran, so that nothing is built. */
  readonly record: ReleaseRecord;
  /** The volume of other data than what serves now has; undefined: the same data. */
  readonly otherData: string | undefined;
  /** The secrets that have another value today, as service.NAME. */
  readonly changedSecrets: readonly string[];
}

/** Whether it is what a release is made of (then going back brings it back), or how to deploy, or whose host it is. */
const IS_OF_RELEASE: Readonly<Record<keyof Config, boolean>> = {
  domain: true,
  redirects: true,
  http: true,
  tls: true,
  proxy: true,
  services: true,
  database: true,
  jobs: true,
  smoke: true,
  observe: true,
  strategy: true,
  baseRefresh: true,
  registries: false,
  host: false,
  measure: false,
  budget: false,
  keep: false,
  rollbackTo: false,
  checks: false,
  notify: false,
  build: false,
  identityKey: false,
};

const OF_RELEASE = (Object.keys(IS_OF_RELEASE) as (keyof Config)[]).filter((key) => IS_OF_RELEASE[key]);

/** The config as a release remembers it: no secret, only what shows that one has changed. */
export function configToKeep(config: Config): Record<string, unknown> {
  const services = Object.entries(config.services).map(([name, service]) => [
    name,
    {
      ...service,
      // Of a build, and what is gone back to is built already.
      buildSecrets: {},
      secrets: digests(service.secrets, config.identityKey),
      basicAuth: digests(service.basicAuth, config.identityKey),
    },
  ]);
  return { ...pick(config), services: Object.fromEntries(services) as unknown };
}

/**
 * @returns the config that this run deploys, and what it is pinned to
 * @throws ConfigError when the release cannot be gone back to
 */
export function pinned(today: Config, facts: Facts): { config: Config; pin: Pin | undefined } {
  const { rollbackTo } = today;
  if (rollbackTo === undefined) return { config: today, pin: undefined };
  const refuse = (...problems: string[]) =>
    new ConfigError(problems.map((problem) => `rollbackTo: release ${rollbackTo} ${problem}`));
  if (!facts.known) throw refuse("is on record on the host, which could not be asked");
  const entry = facts.ledger.find(({ number }) => number === rollbackTo);
  if (entry === undefined) throw refuse(`is not on record${ready(facts, today)}`);
  const reasons = obstacles(entry, facts, today);
  if (reasons.length > 0) {
    throw refuse(...reasons.map((reason) => `cannot be gone back to: ${reason}${ready(facts, today)}`));
  }
  const kept = readKept(facts);
  if (kept === undefined) throw refuse("is on record, but what is kept of it is damaged");
  const { services, problems } = withTodaysSecrets(kept.config.services ?? {}, today);
  if (problems.length > 0) throw refuse(...problems);
  const values = {
    ...today,
    ...Object.fromEntries(OF_RELEASE.map((key) => [key, undefined])),
    ...kept.config,
    services,
    // The password is today's like any other secret.
    ...(kept.config.database === undefined || today.database === undefined
      ? {}
      : { database: { ...kept.config.database, passwordVersion: today.database.passwordVersion } }),
  };
  return {
    config: readAgain(values, refuse),
    pin: {
      entry,
      record: kept.record,
      otherData: otherData(entry, facts),
      changedSecrets: changedSecrets(kept.config.services ?? {}, today),
    },
  };
}

function otherData({ database }: Entry, { current }: Facts): string | undefined {
  const now = current?.record.database?.volume;
  return now === undefined || database?.volume === now ? undefined : database?.volume;
}

interface KeptService {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly basicAuth?: Readonly<Record<string, string>>;
}

interface KeptConfig {
  readonly services?: Readonly<Record<string, KeptService>>;
  readonly database?: Readonly<Record<string, unknown>>;
}

function readKept({ kept }: Facts): { config: KeptConfig; record: ReleaseRecord } | undefined {
  const record = releaseRecord.safeParse(kept?.record);
  if (!record.success || typeof kept?.config !== "object" || kept.config === null) return undefined;
  return { config: kept.config, record: record.data };
}

function readAgain(values: Record<string, unknown>, refuse: (...problems: string[]) => ConfigError): Config {
  try {
    // As it is kept: without what is undefined.
    return readValues(JSON.parse(JSON.stringify(values)) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw refuse(
      ...error.problems.map((problem) => `was made by another version of this program: ${problem}`),
    );
  }
}

function withTodaysSecrets(
  services: NonNullable<KeptConfig["services"]>,
  today: Config,
): { services: Record<string, unknown>; problems: string[] } {
  const needed: { service: string; name: string }[] = [];
  const open: string[] = [];
  const filled = Object.entries(services).map(([name, service]) => {
    const now = today.services[name]?.secrets ?? {};
    const names = Object.keys(service.secrets ?? {});
    needed.push(...names.map((one) => ({ service: name, name: one })));
    // Who is let in is decided today. A service that asked for a password does not open by going back.
    const basicAuth = today.services[name]?.basicAuth ?? {};
    if (Object.keys(service.basicAuth ?? {}).length > 0 && Object.keys(basicAuth).length === 0) {
      open.push(
        `services.${name}.basicAuth: it asked visitors for a password then, and none is set today: set one`,
      );
    }
    return [
      name,
      { ...service, basicAuth, secrets: Object.fromEntries(names.map((one) => [one, now[one]])) },
    ];
  });
  return {
    services: Object.fromEntries(filled) as Record<string, unknown>,
    problems: [...lackedSecrets(needed, today), ...open],
  };
}

function changedSecrets(services: NonNullable<KeptConfig["services"]>, today: Config): string[] {
  const { identityKey } = today;
  return Object.entries(services).flatMap(([name, { secrets = {} }]) => {
    const now = digests(today.services[name]?.secrets ?? {}, identityKey);
    const changed = Object.keys(secrets).filter((secret) => now[secret] !== secrets[secret]);
    return changed.map((secret) => `${name}.${secret}`);
  });
}

/** For the end of a refusal. */
function ready(facts: Facts, today: Today): string {
  const numbers = facts.ledger.filter((entry) => isReady(entry, facts, today)).map(({ number }) => number);
  return numbers.length === 0 ? "; none is ready" : `; ready are ${numbers.join(", ")} (ops releases)`;
}

function digests(
  secrets: Readonly<Record<string, string>>,
  identityKey: string | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [name, secretDigest(identityKey ?? "", value)]),
  );
}

function pick(config: Config): Partial<Config> {
  return Object.fromEntries(OF_RELEASE.map((key) => [key, config[key]]));
}
