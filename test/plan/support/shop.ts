import { LEAST, type Values } from "./config";

/** A small shop: a backend with a database, a frontend, and a worker that needs the backend. 568 MiB with the proxy. */
export const SHOP: Values = {
  ...LEAST,
  database: { version: 17, memory: 200 },
  services: {
    backend: {
      image: "backend:1",
      port: 3000,
      route: "/api/",
      health: "/health",
      memory: 160,
      needs: ["database"],
      migrate: ["up"],
    },
    frontend: { image: "frontend:1", port: 3001, route: "/", health: "/health", memory: 96 },
    worker: { image: "worker:1", memory: 64, needs: ["backend"] },
  },
};
