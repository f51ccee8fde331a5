/** Asked every second, which is kind to it: what waits for health waits for half of that on average. */
const health = (port: number, path: string): string => `
    healthcheck:
      test: [CMD, node, -e, "fetch('http://127.0.0.1:${port}${path}').then((r) => process.exit(r.ok ? 0 : 1))"]
      interval: 1s
      retries: 10`;

/** nginx asks the engine's name server every second, so that it finds containers that come and go. */
const PROXY = `
    image: nginx:1.30-trixie
    configs: [{ source: site, target: /etc/nginx/conf.d/default.conf }]`;

/** nginx's own, for whoever takes it as a file. */
export const SITE = `
resolver 127.0.0.11 valid=1s;
server {
  listen 80;
  set $backend backend:3000;
  set $frontend frontend:3001;
  location /api/ { proxy_pass http://$backend; }
  location / { proxy_pass http://$frontend; }
}
`;

const DATABASE = `
    image: postgres:15-bookworm
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: bench, POSTGRES_DB: app }
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: { test: [CMD, pg_isready, -U, app, -h, 127.0.0.1], interval: 1s, retries: 60 }`;

const BACKEND = `
    command: sh -c "node dist/migrate.js && exec node dist/server.js"
    environment:
      { PORT: "3000", DATABASE_URL: "postgres://app:bench@database:5432/app", CRM_FAULT: "\${FAULT:-}" }${health(3000, "/api/health")}`;

const FRONTEND = `
    environment: { PORT: "3001" }${health(3001, "/health")}`;

/** The example CRM for docker compose. */
export const composeFile = (port: number): string => `
services:
  database:${DATABASE}
    mem_limit: 192m
  backend:
    build: backend
    mem_limit: 160m
    depends_on: { database: { condition: service_healthy } }${BACKEND}
  frontend:
    build: frontend
    mem_limit: 96m${FRONTEND}
  proxy:${PROXY}
    ports: ["0.0.0.0:${port}:80"]
    depends_on: { backend: { condition: service_healthy }, frontend: { condition: service_healthy } }
volumes: { data: {} }
configs: { site: { content: ${JSON.stringify(SITE.replaceAll("$", "$$$$"))} } }
`;

/**
 * The same for Swarm, with SITE in site.conf: a new container before the old one stops, and back by itself when it does not get healthy. Ports
 * and names are the node's own (`mode: host`, `dnsrr`), which does without IPVS in the kernel.
 */
export const swarmFile = (port: number): string => {
  const update =
    "update_config: { order: start-first, failure_action: rollback, monitor: 1s }, restart_policy: { delay: 1s }";
  const app = (memory: string): string => `
    deploy: { endpoint_mode: dnsrr, ${update}, resources: { limits: { memory: ${memory} } } }`;
  return `
version: "3.9"
services:
  database:${DATABASE}
    deploy: { endpoint_mode: dnsrr, resources: { limits: { memory: 192M } } }
  backend:
    image: \${BACKEND}${app("160M")}${BACKEND}
  frontend:
    image: \${FRONTEND}${app("96M")}${FRONTEND}
  proxy:${PROXY}
    ports: [{ target: 80, published: ${port}, mode: host }]
    deploy: { endpoint_mode: dnsrr, update_config: { order: stop-first } }
volumes: { data: {} }
configs: { site: { file: site.conf } }
`;
};
