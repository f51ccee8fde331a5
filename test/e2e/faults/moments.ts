import type { Moment } from "./hold";

/**
 * Every verb of a release once or twice, at the call that does it. The release is that of exchanged.ts: database by
 * stop-first, frontend start-first, backend stop-first, the site changed.
 */
export const MOMENTS: readonly Moment[] = [
  { verb: "backup", on: "database-*", call: "docker exec *pg_dump*" },
  { verb: "hold", on: "*", call: "docker exec -i *" },
  { verb: "shelter", on: "database-*", call: "docker update --restart no *" },
  { verb: "stop", on: "database-*", call: "docker stop *" },
  { verb: "start", on: "database-*", call: "docker start *" },
  { verb: "healthy", on: "database-*", call: "docker exec *" },
  { verb: "password", on: "database-*", call: "docker exec *" },
  { verb: "migrate", on: "backend-*", call: "docker start *" },
  { verb: "start", on: "frontend-*", call: "docker start *" },
  { verb: "drain", on: "backend-*", call: "docker exec *" },
  { verb: "stop", on: "backend-*", call: "docker stop *" },
  { verb: "start", on: "backend-*", call: "docker start *" },
  { verb: "healthy", on: "backend-*", call: "docker exec *" },
  { verb: "stage", on: "*", call: "docker exec -i *" },
  { verb: "site", on: "*", call: "docker exec *-s reload" },
  { verb: "smoke", on: "candidate", call: "docker exec *" },
  { verb: "promote", on: "backend-*", call: "docker update --restart always *" },
  { verb: "route", on: "*", call: "docker exec -i *" },
  { verb: "smoke", on: "live", call: "docker exec *" },
  { verb: "observe", on: "*", call: "docker inspect *" },
  { verb: "record", on: "", call: "sync *" },
  { verb: "remove", on: "frontend-*", call: "docker rm *" },
  { verb: "sweep", on: "", call: "docker ps *" },
];
