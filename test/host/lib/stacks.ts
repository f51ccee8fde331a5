import { type Config, schema } from "../../../plan/config/schema";
import type { StackNames } from "../../../plan/container";

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

/** The same with a database, a migration of the back, and a worker that nobody asks over HTTP. */
export function full(web = 1, api = 1, more: Record<string, unknown> = {}): Config {
  return config({
    services: {
      web: webService(web),
      api: { ...apiService(api), needs: ["database"], migrate: ["migrate"] },
      worker: {
        image: "shop/worker:1",
        memory: 16,
        healthCommand: "pg_isready",
        startTimeout: 1,
        stopGrace: 1,
      },
    },
    database: { version: 15, memory: 64, startTimeout: 1, stopGrace: 3 },
    smoke: [
      { path: "/", contains: `web ${web}` },
      { path: "/api/things", contains: `api ${api}` },
    ],
    ...more,
  });
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
    ...input,
  });
}
