import { type Config, schema } from "../../../plan/config/schema";
import type { StackNames } from "../../../plan/wanted/names";

export const NAMES: StackNames = { project: "shop", stack: "test" };

type ServiceInput = Record<string, unknown>;
type Input = { services: Record<string, ServiceInput>; [key: string]: unknown };

/** The site of the tests: a front (web) and a back (api), each an image made elsewhere, without a database. */
export function plain(web = 1, api = 1, more: Record<string, unknown> = {}): Config {
  return config({
    services: { web: webService(web), api: apiService(api) },
    smoke: [
      { path: "/", contains: `web ${web}` },
      { path: "/api/things", contains: `api ${api}` },
    ],
    ...more,
  });
}

/** A back that keeps its data in the database, and a migration of it. */
export function stored(api = 1, database: Record<string, unknown> = {}): Config {
  return config({
    services: { api: storingService(api) },
    database: { ...DATABASE, ...database },
    smoke: [{ path: "/api/things", contains: `api ${api}` }],
  });
}

/** All kinds of service at once: a front, a back with the database, and a worker that nobody asks over HTTP. */
export function full(web = 1, api = 1): Config {
  return config({
    services: { web: webService(web), api: storingService(api), worker: workerService() },
    database: DATABASE,
    smoke: [
      { path: "/", contains: `web ${web}` },
      { path: "/api/things", contains: `api ${api}` },
    ],
  });
}

const DATABASE = { version: 15, memory: 64, startTimeout: 1, stopGrace: 3 };

export function storingService(version: number): ServiceInput {
  return { ...apiService(version), needs: ["database"], migrate: ["migrate"] };
}

export function workerService(): ServiceInput {
  return { image: "shop/worker:1", healthCommand: "pg_isready", ...common };
}

export function webService(version: number): ServiceInput {
  return { image: `shop/web:${version}`, port: 3001, route: "/", health: "/health", ...common };
}

export function apiService(version: number): ServiceInput {
  return { image: `shop/api:${version}`, port: 3000, route: "/api/", health: "/api/health", ...common };
}

const common = { memory: 32, startTimeout: 1, stopGrace: 1 };

export function config(input: Input): Config {
  return schema.parse({
    host: { address: "local", lockWait: 1 },
    domain: "shop.example",
    observe: 0,
    // What it takes is tried by itself (met.test.ts).
    measure: { rate: 0 },
    ...input,
  });
}
