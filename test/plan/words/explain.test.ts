import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Facts, NO_FACTS } from "../../../plan/found/facts";
import { explain } from "../../../plan/words/explain";
import { change, LEAST, read, type Values } from "../support/config";
import { EMPTY_HOST, hostAfter, makeProject, planned, type Planned, withStates } from "../support/stack";

const SHOP: Values = {
  ...LEAST,
  database: { version: 17, memory: 200 },
  services: {
    backend: {
      source: "backend",
      port: 3000,
      route: "/api/",
      health: "/health",
      memory: 160,
      env: { LEVEL: "info" },
      needs: ["database"],
      migrate: ["up"],
    },
    frontend: { image: "frontend:1", port: 3001, route: "/", health: "/health", memory: 96 },
    worker: { image: "worker:1", memory: 64 },
  },
  smoke: [{ path: "/" }],
};

type Edit = readonly [path: string, value: unknown];
const edited = (...edits: Edit[]): Values =>
  edits.reduce<Values>((values, [path, value]) => change(values, path, value), SHOP);

let project = "";
let host: Facts = EMPTY_HOST;
beforeAll(() => {
  project = makeProject({ "backend/Dockerfile": "FROM scratch", "backend/app.js": "1" });
  host = hostAfter(planned(read(SHOP), EMPTY_HOST, project), {
    total: 1024 * 1024,
    used: 600 * 1024,
    ours: 340 * 1024,
  });
});
afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

/** What a preview says; hashes differ from line to line, so they are told by their order. */
function said(facts: Facts, ...edits: Edit[]): string {
  return inOrder(planned(read(edited(...edits)), facts, project), facts);
}

function inOrder({ plan, config }: Planned, facts: Facts): string {
  const seen: string[] = [];
  return explain(plan, config, facts).replace(/\b[0-9a-f]{12}\b/g, (hash) => {
    if (!seen.includes(hash)) seen.push(hash);
    return `#${seen.indexOf(hash) + 1}`;
  });
}

describe("what a preview says", () => {
  it("of the first release", () => {
    expect(said({ ...EMPTY_HOST, memory: { total: 1024 * 1024, used: 200 * 1024, ours: 0 } })).toBe(`\
release #1: the first one
  proxy     new, 48 MiB; image nginx:1.30-trixie
  database  new, 200 MiB; image postgres:17-bookworm
  backend   new, 160 MiB; built: first build
  frontend  new, 96 MiB; image frontend:1
  worker    new, 64 MiB; image worker:1
  runs backend-migrate-#2 first: what it does to the data is not undone
  run as whom its image names, or 1000:1000 where that is root: backend, frontend, worker
  ready when its image's own HEALTHCHECK succeeds, or, without one, it has not ended after 3 s: worker
  ready when it answers /health: backend, frontend
  host: 200 of 1024 MiB in use`);
  });

  it("when there is nothing to do", () => {
    expect(said(host)).toBe(`\
release #1 serves already: nothing to do
  proxy     unchanged
  database  unchanged
  backend   unchanged
  frontend  unchanged
  worker    unchanged
  host: 600 of 1024 MiB in use`);
  });

  it("of a changed source, where both versions fit", () => {
    writeFileSync(join(project, "backend/app.js"), "2");
    const text = said(host);
    writeFileSync(join(project, "backend/app.js"), "1");
    expect(text).toBe(`\
release #1 replaces #2
  proxy     unchanged
  database  unchanged
  frontend  unchanged
  worker    unchanged
  backend   built: app.js changed; start first (160 MiB beside the old one, 36 MiB to spare): no interruption
  runs backend-migrate-#3 first: what it does to the data is not undone
  run as whom its image names, or 1000:1000 where that is root: backend
  ready when it answers /health: backend
  host: 600 of 1024 MiB in use`);
  });

  it("of two that do not fit beside each other, and of a worker that must stop first", () => {
    const queue = [{ name: "queue", path: "/q" }];
    expect(
      said(
        host,
        ["services.backend.memory", 170],
        ["services.frontend.image", "frontend:2"],
        ["services.worker.volumes", queue],
      ),
    ).toBe(`\
release #1 replaces #2
  proxy     unchanged
  database  unchanged
  backend   memory 160 -> 170 MiB; start first (170 MiB beside the old one, 26 MiB to spare): no interruption
  frontend  image frontend:1 -> frontend:2; stop first (70 MiB too little to run both): requests wait until the new one is healthy
  worker    volumes changed; stop first (only one may write to its volume): it is away until the new one is ready
  runs backend-migrate-#3 first: what it does to the data is not undone
  run as whom its image names, or 1000:1000 where that is root: backend, frontend, worker
  ready when its image's own HEALTHCHECK succeeds, or, without one, it has not ended after 3 s: worker
  ready when it answers /health: backend, frontend
  host: 600 of 1024 MiB in use`);
  });

  it("of an order that is configured", () => {
    expect(
      said(host, ["services.frontend.image", "frontend:2"], ["services.frontend.order", "stop-first"]),
    ).toContain(
      "frontend  image frontend:1 -> frontend:2; stop first (as configured): requests wait until the new one is healthy",
    );
    expect(said(host, ["services.backend.memory", 300], ["services.backend.order", "start-first"])).toContain(
      "backend   memory 160 -> 300 MiB; start first (300 MiB beside the old one, 104 MiB too little): no interruption",
    );
  });

  it("of secrets, by their names and never by their values", () => {
    const identityKey = "0123456789abcdef0123456789abcdef";
    const withToken = (TOKEN: string): Values =>
      edited(["identityKey", identityKey], ["services.frontend.secrets", { TOKEN }]);
    const before = hostAfter(planned(read(withToken("old-value")), EMPTY_HOST, project));
    const text = inOrder(planned(read(withToken("new-value")), before, project), before);
    expect(text).toContain("\n  frontend  secret TOKEN changed; start first (");
    for (const service of ["proxy   ", "database", "backend ", "worker  "])
      expect(text).toContain(`\n  ${service}  unchanged`);
    expect(text).not.toMatch(/old-value|new-value/);
  });

  it("of the database's password", () => {
    const text = said(host, ["database.passwordVersion", 2]);
    expect(text).toContain(
      "\n  database  the database's password changed; stops and starts: requests wait some seconds\n",
    );
    expect(text).toContain("\n  backend   the database's password changed; start first (");
    expect(text).toContain("\n  frontend  unchanged\n");
  });

  it("of settings, by the words of the config", () => {
    expect(
      said(
        host,
        ["services.backend.env", { LEVEL: "debug", NEW: "1" }],
        ["services.backend.health", "/ready"],
      ),
    ).toContain("  backend   env.LEVEL changed, env.NEW changed, health changed; start first");
    expect(
      said(
        host,
        ["services.worker.command", ["work"]],
        ["services.worker.stopGrace", 5],
        ["services.worker.startTimeout", 5],
        ["services.worker.security", { readOnly: false, user: "0" }],
      ),
    ).toContain(
      "  worker    command changed, readOnly changed, startTimeout changed and 2 more; start first",
    );
  });

  it("of the database, the proxy and the site", () => {
    expect(
      said(host, ["database.settings", { work_mem: "8MB" }], ["http.port", 8080], ["domain", "example.com"]),
    ).toBe(`\
release #1 replaces #2
  proxy     ports changed; stops and starts: about a second without connections
  database  settings changed; stops and starts: requests wait some seconds
  backend   unchanged
  frontend  unchanged
  worker    unchanged
  the site's own configuration changes (domain, routes, limits): nginx loads it
  host: 600 of 1024 MiB in use`);
  });

  it("of services that come and go", () => {
    const extra = { image: "extra:1", port: 3002, route: "/extra/", health: "/h", memory: 300 };
    expect(said(host, ["services.extra", extra], ["services.worker", undefined])).toBe(`\
release #1 replaces #2
  proxy     unchanged
  database  unchanged
  backend   unchanged
  frontend  unchanged
  extra     new, 300 MiB; image extra:1
  worker    removed: nothing of that name is configured any more
  the site's own configuration changes (domain, routes, limits): nginx loads it
  run as whom its image names, or 1000:1000 where that is root: extra
  ready when it answers /h: extra
  memory: the limits of all containers are 40 MiB more than the host can give: lower some
  host: 600 of 1024 MiB in use`);
  });

  it("of images that are there already: whom they run as, and what is waited for", () => {
    const facts: Facts = {
      ...host,
      images: new Map([
        ["worker:2", "sha256:2"],
        ["frontend:2", "sha256:3"],
      ]),
      imageConfigs: new Map([
        ["sha256:2", { user: "node", check: true }],
        ["sha256:3", { user: "", check: false }],
      ]),
    };
    const text = said(
      facts,
      ["services.worker.image", "worker:2"],
      ["services.frontend.image", "frontend:2"],
    );
    expect(text).toContain(`
  run as node (its image says so): worker
  run as 1000:1000 (its image would be root): frontend
  ready when its image's own HEALTHCHECK succeeds: worker
  ready when it answers /health: frontend
`);
    const none = said({ ...facts, imageConfigs: new Map([["sha256:2", { user: "node", check: false }]]) }, [
      "services.worker.image",
      "worker:2",
    ]);
    expect(none).toContain("\n  ready when it has not ended after 3 s (nothing checks it): worker\n");
  });

  it("of a service that another one needs from now on", () => {
    expect(said(host, ["services.worker.needs", ["backend", "frontend"]])).toContain(
      "proxy     carries the name of a service that another one needs now; " +
        "stops and starts: about a second without connections\n",
    );
  });

  it("of what changes no container", () => {
    expect(said(host, ["smoke", []])).toBe(`\
release #1 replaces #2
  proxy     unchanged
  database  unchanged
  backend   unchanged
  frontend  unchanged
  worker    unchanged
  no container changes, only the smoke tests or a migration
  no smoke test is configured: only health gates this release
  host: 600 of 1024 MiB in use`);
  });

  it("of what is to be put right", () => {
    const left = { id: "x", key: "backend-000000000000", role: "service", state: "exited" };
    const facts = withStates(host, { backend: "exited", worker: undefined, frontend: "restarting" });
    expect(said({ ...facts, interrupted: true, containers: [...facts.containers, left] })).toBe(`\
release #1 serves already: to be put right
  proxy     unchanged
  database  unchanged
  frontend  restarts again and again: restarted
  backend   is exited: started again
  worker    is gone: made anew and started
  an earlier release was interrupted: taken back or tidied first
  the container backend-#2 (exited) is not of the release that serves: removed
  host: 600 of 1024 MiB in use`);
  });

  it("of relaxed security, and of who else is at work", () => {
    const security = { user: "0", capabilities: ["NET_RAW"] };
    const text = said({ ...host, active: "release 0a1b by ann@laptop" }, [
      "services.worker.security",
      security,
    ]);
    expect(text).toContain("\n  security relaxed: worker runs as root, keeps NET_RAW\n");
    expect(text).toContain("\n  at work just now: release 0a1b by ann@laptop\n");
  });

  it("of a host that does not answer: what is wanted, and no guess at what is there", () => {
    expect(said(NO_FACTS)).toBe(`\
release #1; what serves now is not known
  proxy     48 MiB
  database  200 MiB
  backend   160 MiB
  frontend  96 MiB
  worker    64 MiB
  runs backend-migrate-#2 first: what it does to the data is not undone`);
  });
});
