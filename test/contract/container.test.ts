import { execFileSync } from "node:child_process";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { duration } from "../../components/container";
import { docker as run, exists, inspect, mark, markLabels, removeMarked } from "./support/docker";
import { Stack } from "./support/stack";

const mebibyte = 1024 * 1024;
const second = 1e9;
const secretLine = "SECRET=two words, ünï, $HOME, 'quotes\" and a\nsecond line";

describe("docker.Container", () => {
  let stack: Stack;
  let first = "";

  beforeAll(async () => {
    stack = await Stack.create("container");
  });
  afterAll(async () => {
    await stack.destroy();
    removeMarked();
    stack.remove();
  });

  const web = (): string => String(stack.output("web"));
  const provider = (): docker.Provider => new docker.Provider("engine", {});

  interface Variant {
    generation: number;
    memory?: number;
    besides?: (provider: docker.Provider) => void;
  }

  /** The container as the program makes every one of its own, with each option that it uses. */
  const program =
    ({ generation, memory = 64, besides }: Variant) =>
    (): Record<string, unknown> => {
      const engine = provider();
      const network = new docker.Network(
        "network",
        { driver: "bridge", internal: true, labels: markLabels },
        { provider: engine },
      );
      const volume = new docker.Volume(
        "volume",
        { labels: markLabels },
        { provider: engine, retainOnDelete: true },
      );
      const container = new docker.Container(
        "web",
        {
          image: "node:22-bookworm-slim",
          entrypoints: ["node"],
          command: ["-e", "setInterval(() => {}, 1e6)"],
          envs: ["PLAIN=1", "EMPTY=", pulumi.secret(secretLine)],
          start: false,
          mustRun: false,
          restart: "unless-stopped",
          init: true,
          memory,
          memorySwap: memory,
          user: "1000:1000",
          hostname: "webhost",
          workingDir: "/tmp",
          readOnly: true,
          capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
          securityOpts: ["no-new-privileges:true"],
          tmpfs: { "/tmp": "", "/run": "size=1m" },
          mounts: [
            { type: "volume", source: volume.name, target: "/data", readOnly: false },
            { type: "bind", source: "/etc", target: "/host-etc", readOnly: true },
          ],
          networkMode: "bridge",
          networksAdvanced: [{ name: network.name, aliases: ["web", "web.internal"] }],
          ports: [{ internal: 3000, external: 32_599, ip: "127.0.0.1", protocol: "tcp" }],
          healthcheck: {
            tests: ["CMD", "true"],
            interval: "30s",
            timeout: "1.5s",
            retries: 3,
            startPeriod: "1m30s",
          },
          stopSignal: "SIGINT",
          stopTimeout: 7,
          destroyGraceSeconds: 7,
          logDriver: "json-file",
          logOpts: { "max-size": "10m", "max-file": "3" },
          labels: [...markLabels, { label: "deploy.key", value: "web" }],
        },
        {
          provider: engine,
          ignoreChanges: ["*"],
          retainOnDelete: true,
          deleteBeforeReplace: false,
          replacementTrigger: generation,
        },
      );
      besides?.(engine);
      return { web: container.name, id: container.id };
    };

  /** One that the engine may delete. */
  const plain = (
    engine: docker.Provider,
    name: string,
    more: Partial<docker.ContainerArgs> = {},
  ): docker.Container =>
    new docker.Container(
      name,
      {
        image: "node:22-bookworm-slim",
        start: false,
        mustRun: false,
        networkMode: "bridge",
        labels: markLabels,
        ...more,
      },
      { provider: engine, ignoreChanges: ["*"] },
    );

  test("without a name gets its logical one and 7 hex digits, and with start: false is only created", async () => {
    const up = await stack.up(program({ generation: 1, besides: (engine) => plain(engine, "gone") }));
    expect(up.diagnostics).toBe("");
    first = web();
    expect(first).toMatch(/^web-[0-9a-f]{7}$/);
    expect(inspect(first).State.Status).toBe("created");
    expect(stack.output("id")).toBe(inspect(first).Id);
  });

  test("has its environment byte for byte", () => {
    expect(inspect(first).Config.Env).toEqual(expect.arrayContaining(["PLAIN=1", "EMPTY=", secretLine]));
    expect(stack.storedText()).not.toContain("second line");
  });

  test("has every option that was given", () => {
    const { Config: config, HostConfig: host, NetworkSettings: networks } = inspect(first);
    expect(config).toMatchObject({
      Cmd: ["-e", "setInterval(() => {}, 1e6)"],
      Entrypoint: ["node"],
      User: "1000:1000",
      Hostname: "webhost",
      WorkingDir: "/tmp",
      StopSignal: "SIGINT",
      StopTimeout: 7,
      Healthcheck: {
        Test: ["CMD", "true"],
        Interval: 30 * second,
        Timeout: 1.5 * second,
        StartPeriod: 90 * second,
        Retries: 3,
      },
    });
    expect(config.Labels).toMatchObject({ "deploy.key": "web" });
    expect(host).toMatchObject({
      Memory: 64 * mebibyte,
      MemorySwap: 64 * mebibyte,
      ReadonlyRootfs: true,
      Init: true,
      CapAdd: ["CAP_NET_BIND_SERVICE"],
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      RestartPolicy: { Name: "unless-stopped" },
      Tmpfs: { "/tmp": "", "/run": "size=1m" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      PortBindings: { "3000/tcp": [{ HostIp: "127.0.0.1", HostPort: "32599" }] },
    });
    const mounts = [...host.Mounts].sort((a, b) => String(a["Target"]).localeCompare(String(b["Target"])));
    expect(mounts).toMatchObject([
      { Type: "volume", Target: "/data" },
      { Type: "bind", Source: "/etc", Target: "/host-etc", ReadOnly: true },
    ]);
    const [name, network] = Object.entries(networks.Networks)[0] ?? [];
    expect(Object.keys(networks.Networks)).toHaveLength(1);
    expect(name).toMatch(/^network-[0-9a-f]{7}$/);
    expect(network?.Aliases).toEqual(expect.arrayContaining(["web", "web.internal"]));
  });

  test("is left alone under ignoreChanges, whatever changes in the program", async () => {
    const besides = (engine: docker.Provider): void => {
      plain(engine, "gone", { memory: 32 });
    };
    const up = await stack.up(program({ generation: 1, memory: 128, besides }));
    expect(up.unchanged).toBe(true);
    expect(inspect(first).HostConfig.Memory).toBe(64 * mebibyte);
  });

  test("that was started by hand is unchanged for a refresh, and goes on running", async () => {
    run("start", first);
    const refresh = await stack.refresh();
    expect(refresh.diagnostics).toBe("");
    // What a refresh writes down of one that runs (its addresses, say) differs; it is nothing to do for an `up`.
    expect(refresh.error).toBeUndefined();
    expect(inspect(first).State.Status).toBe("running");
    const besides = (engine: docker.Provider): void => {
      plain(engine, "gone", { memory: 32 });
    };
    expect((await stack.up(program({ generation: 1, memory: 128, besides }))).unchanged).toBe(true);
  });

  test("is replaced for a new replacementTrigger: another is made beside it, and it stays", async () => {
    run("rm", "-f", ...run("ps", "-aq", "--filter", `name=^gone-`, "--filter", `label=${mark}`).split("\n"));
    // Without `gone`: to delete what has gone by itself succeeds.
    const up = await stack.up(program({ generation: 2 }));
    expect(up.error).toBeUndefined();
    expect(up.steps).toEqual(expect.arrayContaining(["create-replacement web", "delete gone"]));
    expect(web()).not.toBe(first);
    expect(inspect(web()).State.Status).toBe("created");
    expect(inspect(first).State.Status).toBe("running");
  });

  test("that was removed by hand goes unnoticed without a refresh, and a refresh drops it", async () => {
    const removed = web();
    run("rm", "-f", removed);
    expect((await stack.up(program({ generation: 2 }))).unchanged).toBe(true);
    expect((await stack.refresh()).changes).toEqual({ delete: 1 });
    const up = await stack.up(program({ generation: 2 }));
    expect(up.changes).toEqual({ create: 1 });
    expect(web()).not.toBe(removed);
  });

  test("has its texts in composed form only: an accent apart becomes one letter with its own", async () => {
    const text = "e\u0301 is one letter";
    const besides = (engine: docker.Provider): void => {
      plain(engine, "accents", { envs: [`TEXT=${text}`], command: ["node", "-e", text] });
    };
    expect((await stack.up(program({ generation: 2, besides }))).error).toBeUndefined();
    const made = String(stack.stored("accents")?.id);
    const found = run("container", "inspect", "-f", "{{json .Config.Env}} {{json .Config.Cmd}}", made);
    expect(found).toContain(`TEXT=${text.normalize("NFC")}`);
    expect(found).toContain(`"-e","${text.normalize("NFC")}"`);
    expect((await stack.up(program({ generation: 2, besides }))).unchanged).toBe(true);
  });

  test("keeps the times of its health check in Go's form: in any other the next run finds a change, once", async () => {
    const timed = (startPeriod: string) => (engine: docker.Provider) => {
      plain(engine, "timed", { healthcheck: { tests: ["CMD", "true"], startPeriod } });
    };
    for (const seconds of [1, 60, 90, 120, 600, 3600]) {
      const besides = timed(duration(seconds));
      expect((await stack.up(program({ generation: 2, besides }))).error).toBeUndefined();
      expect((await stack.up(program({ generation: 2, besides }))).unchanged, `${seconds} s`).toBe(true);
      expect((await stack.up(program({ generation: 2 }))).error).toBeUndefined();
    }
    const besides = timed("120s");
    await stack.up(program({ generation: 2, besides }));
    const next = await stack.up(program({ generation: 2, besides }));
    expect(next.steps).toContain("update timed");
    expect(next.changes).toEqual({ update: 1 });
    expect((await stack.up(program({ generation: 2, besides }))).unchanged).toBe(true);
  });

  test("publishes a port at several addresses, and takes its input on the host's own network; the next run finds no change", async () => {
    const two = ["127.0.0.1", "127.0.0.2"].map((ip) => ({
      internal: 80,
      external: 32_598,
      ip,
      protocol: "tcp",
    }));
    const both = program({
      generation: 2,
      besides: (engine) => {
        plain(engine, "two", { ports: two });
        plain(engine, "reads", {
          networkMode: "host",
          stdinOpen: true,
          entrypoints: ["sh", "-c", "read -r line; echo $line"],
        });
      },
    });
    expect((await stack.up(both)).diagnostics).toBe("");
    const made = (name: string) => String(stack.stored(name)?.id);
    expect(run("inspect", "-f", "{{json .HostConfig.PortBindings}}", made("two")).trim()).toBe(
      JSON.stringify({
        "80/tcp": [
          { HostIp: "127.0.0.1", HostPort: "32598" },
          { HostIp: "127.0.0.2", HostPort: "32598" },
        ],
      }),
    );
    execFileSync("docker", ["start", "-a", "-i", made("reads")], { input: "hello\n" });
    expect(run("wait", made("reads")).trim()).toBe("0");
    expect(run("logs", made("reads"))).toBe("hello");
    expect((await stack.up(both)).unchanged).toBe(true);
    await stack.up(program({ generation: 2 }));
  });

  test("whose creation fails half-way stays in the state, and is made anew by the next run", async () => {
    const besides = (engine: docker.Provider): void => {
      plain(engine, "half", { start: true, entrypoints: ["/no-such-program"] });
    };
    const failed = await stack.up(program({ generation: 2, besides }));
    expect(failed.diagnostics).toContain("Unable to start container");
    expect(stack.stored("half")?.id).toMatch(/^[0-9a-f]{64}$/);
    const next = await stack.up(program({ generation: 2, besides }));
    expect(next.diagnostics).toContain("Unable to start container");
    expect((await stack.up(program({ generation: 2 }))).error).toBeUndefined();
    expect(stack.stored("half")).toBeUndefined();
  });

  test("stays on the host when the stack is destroyed, with retainOnDelete", async () => {
    const kept = web();
    const volume = String(stack.stored("volume")?.id);
    // A running one would be in the way of the network, which waits for it and fails.
    run("rm", "-f", first);
    const destroyed = await stack.destroy();
    expect(destroyed.error).toBeUndefined();
    expect(exists("container", kept)).toBe(true);
    expect(exists("volume", volume)).toBe(true);
  });
});
