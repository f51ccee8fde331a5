import { beforeAll, describe, expect, it } from "vitest";
import { duration } from "../../components/container";
import { DOORS } from "../../plan/wanted/doors";
import { DEFAULTS_VERSION } from "../../plan/wanted/identity";
import { change, LEAST, type Values } from "../plan/support/config";
import { EMPTY_HOST } from "../plan/support/stack";
import { run } from "./support/program";

const SHOP: Values = change(LEAST, "services", {
  web: {
    image: "web:1",
    port: 3000,
    route: "/",
    health: "/health",
    memory: 128,
    command: ["serve"],
    startTimeout: 20,
    stopGrace: 7,
    volumes: [{ name: "uploads", path: "/uploads" }],
    migrate: ["up"],
  },
  cache: { image: "cache:1", port: 6379, healthCommand: "cache ping", memory: 32 },
  worker: { image: "worker:1", memory: 64, needs: ["web"] },
});

let containers: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map();
beforeAll(async () => {
  const { resources } = await run({ config: SHOP, facts: EMPTY_HOST });
  const found = resources.filter(({ type }) => type === "docker:index/container:Container");
  containers = new Map(found.map(({ name, inputs }) => [name.replace(/-[0-9a-f]{12}$/, ""), inputs]));
});

describe("what a container is made with", () => {
  it("is its description and this, no more: a container is named by its description and DEFAULTS_VERSION", () => {
    const web = containers.get("web");
    const labels = web?.labels as { label: string; value: string }[] | undefined;
    const key = labels?.find(({ label }) => label === "deploy.key")?.value ?? "";
    // Fails when components/container.ts adds something else. Containers that were made before would still be taken for
    // the same: raise DEFAULTS_VERSION in plan/wanted/identity.ts, so that they are replaced, and change both here.
    expect(DEFAULTS_VERSION).toBe(1);
    expect(web).toEqual({
      image: "web:1",
      command: ["serve"],
      envs: expect.objectContaining({ value: ["PORT=3000"] }) as unknown,
      start: false,
      mustRun: false,
      restart: "always",
      init: true,
      memory: 128,
      memorySwap: 128,
      user: "1000:1000",
      readOnly: true,
      capabilities: { drops: ["ALL"], adds: [] },
      securityOpts: ["no-new-privileges:true"],
      tmpfs: { "/tmp": "" },
      mounts: [{ type: "volume", source: "artsvao-test-uploads", target: "/uploads", readOnly: false }],
      networkMode: "bridge",
      networksAdvanced: [{ name: "artsvao-test-edge-0123456", aliases: [key] }],
      ports: [],
      healthcheck: {
        tests: [
          ...["CMD", "sh", "-c", expect.stringContaining("curl") as string, "http://127.0.0.1:3000/health"],
          ...["crm.example.org", "http", "80"],
        ],
        interval: "30s",
        timeout: "10s",
        retries: 3,
        startPeriod: "20s",
      },
      stopTimeout: 7,
      destroyGraceSeconds: 7,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      labels: [
        { label: "deploy.stack", value: "artsvao/test" },
        { label: "deploy.service", value: "web" },
        { label: "deploy.role", value: "service" },
        { label: "deploy.key", value: expect.stringMatching(/^web-[0-9a-f]{12}$/) as string },
      ],
    });
  });

  it("asks for health as the service can be asked", () => {
    const tests = (name: string): unknown =>
      (containers.get(name)?.healthcheck as { tests: unknown } | undefined)?.tests;
    expect(tests("cache")).toEqual(["CMD-SHELL", "cache ping"]);
    expect(tests("worker")).toBeUndefined();
    expect(tests("proxy")).toEqual(expect.arrayContaining(["CMD", "curl", "--unix-socket", DOORS.ready]));
  });

  it("lets a migration end: it is not restarted, found or asked", () => {
    const migration = containers.get("web-migrate");
    expect(migration).toMatchObject({ command: ["up"], restart: "no" });
    expect(migration).not.toHaveProperty("healthcheck");
    expect(migration?.networksAdvanced).toEqual([
      { name: "artsvao-test-edge-0123456", aliases: [expect.stringMatching(/^web-migrate-/)] },
    ]);
  });

  it("gives the names of what others ask over HTTP to the proxy, and others their own", () => {
    const aliases = (name: string): unknown =>
      (containers.get(name)?.networksAdvanced as { aliases: string[] }[] | undefined)?.[0]?.aliases.slice(1);
    expect(["web", "cache", "worker", "proxy"].map(aliases)).toEqual([[], ["cache"], ["worker"], ["web"]]);
  });
});

it.each([
  [1, "1s"],
  [59, "59s"],
  [60, "1m0s"],
  [90, "1m30s"],
  [120, "2m0s"],
  [3600, "1h0m0s"],
  [3725, "1h2m5s"],
])("%i seconds are %s to docker's provider", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
