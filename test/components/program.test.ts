import { homedir, tmpdir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { parseFacts } from "../../plan/found/answer";
import { type Facts, NO_FACTS } from "../../plan/found/facts";
import { change, completedProd, LEAST, stackFile, type Values } from "../plan/support/config";
import { EMPTY_HOST } from "../plan/support/stack";
import {
  failure,
  FakeSampler,
  isSecret,
  LINEAGE,
  MACHINE,
  PASSWORD,
  type Ran,
  type Registered,
  run,
  scriptOf,
} from "./support/program";

const SECRET = "correct-horse-battery-staple";
const KEY = "0123456789abcdef0123456789abcdef";

const LOCAL = change(
  change(stackFile("Pulumi.local.yaml"), "services.backend.secrets", { TOKEN: SECRET }),
  "identityKey",
  KEY,
);
const PROD = completedProd({ backend: "examples/crm/backend", frontend: "examples/crm/frontend" });
/** Every kind of service that config can describe. */
const OTHER: Values = {
  host: {
    address: "ssh://deploy@vps.example.org:2222",
    hostKey: "ssh-ed25519 AAAA",
    identityFile: "~/.ssh/deploy",
  },
  domain: "example.org",
  services: {
    site: { image: "site:1", port: 3000, route: "/", health: "/health", memory: 64, needs: ["cache"] },
    cache: {
      image: "cache:1",
      port: 6379,
      healthCommand: "cache ping",
      memory: 32,
      volumes: [{ name: "cache", path: "/data" }],
    },
    worker: {
      image: "worker:1",
      memory: 64,
      security: { user: "0", readOnly: false, capabilities: ["CHOWN"], newPrivileges: true, tmpfs: [] },
      volumes: [{ name: "files", path: "/files", shareable: true }],
    },
    reader: { image: "reader:1", memory: 64, volumes: [{ name: "files", path: "/in", shareable: true }] },
  },
};

const CONTAINER = "docker:index/container:Container";
const COMMAND = "command:local:Command";
const of = (ran: Ran, type: string): Registered[] => ran.resources.filter((one) => one.type === type);
/** Without the hash. */
const nameOf = ({ name }: Registered): string => name.replace(/-[0-9a-f]{12}$/, "");
const named = (ran: Ran, name: string, type = CONTAINER): Registered => {
  const found = of(ran, type).find((one) => nameOf(one) === name);
  if (found === undefined) throw new Error(`${name} is not registered`);
  return found;
};
function the(ran: Ran | undefined): Ran {
  if (ran === undefined) throw new Error("it has not run");
  return ran;
}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** The first run of each stack; the program runs once at a time. */
let [local, prod, other]: Ran[] = [];
beforeAll(async () => {
  local = await run({ config: LOCAL, facts: EMPTY_HOST });
  prod = await run({ config: PROD, facts: EMPTY_HOST });
  other = await run({ config: OTHER, facts: EMPTY_HOST });
});

describe.each<[stack: string, config: Values, ran: () => Ran | undefined]>([
  ["local", LOCAL, () => local],
  ["prod", PROD, () => prod],
  ["ssh, every kind of service", OTHER, () => other],
])("%s", (_, config, result) => {
  let ran: Ran;
  beforeAll(() => {
    ran = the(result());
  });

  it("Pulumi only creates containers; it never starts, stops, changes or deletes one", () => {
    const containers = of(ran, CONTAINER);
    expect(containers.length).toBeGreaterThan(3);
    for (const one of containers) {
      expect(one.inputs).toMatchObject({ start: false, mustRun: false });
      // A fixed name would be taken by what a killed run left.
      expect(one.inputs).not.toHaveProperty("name");
      expect(one).toMatchObject({
        ignoreChanges: ["*"],
        retainOnDelete: true,
        deleteBeforeReplace: false,
        replacementTrigger: 0,
      });
    }
  });

  it("each container is limited, hardened and findable", () => {
    for (const { name, inputs } of of(ran, CONTAINER)) {
      const service = config.services as Record<string, { security?: object } | undefined>;
      const relaxed = service[name.replace(/(-migrate)?-[0-9a-f]{12}$/, "")]?.security !== undefined;
      expect(inputs.memory).toBeGreaterThan(0);
      expect(inputs.memorySwap).toBe(inputs.memory);
      expect(inputs).toMatchObject({
        init: true,
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        networkMode: "bridge",
        capabilities: { drops: ["ALL"], adds: relaxed ? ["CHOWN"] : [] },
        securityOpts: relaxed ? [] : ["no-new-privileges:true"],
        readOnly: !relaxed,
      });
      if (!relaxed) expect(inputs.user).toMatch(/^[1-9]\d*:\d+$/);
      const labels = list(inputs.labels) as { label: string; value: string }[];
      expect(Object.fromEntries(labels.map(({ label, value }) => [label, value]))).toEqual({
        "deploy.stack": "artsvao/test",
        "deploy.service": name.replace(/(-migrate)?-[0-9a-f]{12}$/, ""),
        "deploy.role": expect.stringMatching(/^(service|migrate|database|proxy)$/) as string,
        "deploy.key": name,
      });
      for (const network of list(inputs.networksAdvanced) as { name: string; aliases: string[] }[]) {
        expect(network.name).toMatch(/^artsvao-test-(edge|data)-/);
        expect(network.aliases[0]).toBe(name);
      }
    }
  });

  it("only the proxy publishes ports", () => {
    const open = of(ran, CONTAINER).filter(({ inputs }) => list(inputs.ports).length > 0);
    expect(open.map(nameOf)).toEqual(["proxy"]);
  });

  it("no docker resource falls onto a default provider", () => {
    const provider = ran.resources.find(({ type }) => type === "pulumi:providers:docker");
    const ours = ran.resources.filter(({ type }) => type.startsWith("docker:"));
    expect(ours.length).toBeGreaterThan(8);
    for (const one of ours) expect(one.provider, one.name).toBe(provider?.urn);
  });

  it("the claim comes before all on the host", () => {
    const claim = named(ran, "claim", COMMAND);
    const others = ran.resources.filter(({ type }) => /^(docker:|command:)/.test(type));
    for (const one of others.filter(({ urn }) => urn !== claim.urn)) {
      expect(before(ran, one), one.name).toContain(claim.urn);
    }
  });

  it("the teardown comes before all on the host but the networks and the claim, so it goes after them", () => {
    const teardown = named(ran, "teardown", COMMAND);
    const claim = named(ran, "claim", COMMAND);
    const networks = of(ran, "docker:index/network:Network").map(({ urn }) => urn);
    expect([...teardown.dependencies].sort()).toEqual([...networks, claim.urn].sort());
    const others = ran.resources.filter(({ type }) => /^(docker:|command:)/.test(type));
    const first = [teardown.urn, claim.urn, ...networks];
    for (const one of others.filter(({ urn }) => !first.includes(urn))) {
      expect(before(ran, one), one.name).toContain(teardown.urn);
    }
  });

  it("the release comes after every container, and the checks of health after the release", () => {
    const [release, ...more] = of(ran, COMMAND).filter(({ name }) => /^release-/.test(name));
    if (release === undefined) throw new Error("no release");
    expect(more).toEqual([]);
    for (const { urn, name } of of(ran, CONTAINER)) expect(before(ran, release), name).toContain(urn);
    const checks = of(ran, COMMAND).filter(({ name }) => /^health-/.test(name));
    expect(checks.map(({ name }) => name).sort()).toEqual(
      Object.keys(config.services as object)
        .map((name) => `health-${name}`)
        .sort(),
    );
    for (const check of checks) expect(check.dependencies).toContain(release.urn);
  });

  it("each container comes after its image and its volumes", () => {
    for (const one of of(ran, CONTAINER)) {
      const earlier = ran.resources.filter(({ urn }) => before(ran, one).has(urn));
      const images = earlier.filter(({ type }) => /:(Image|RemoteImage)$/.test(type));
      expect(images.map(({ inputs }) => inputs.imageName ?? inputs.name)).toContain(one.inputs.image);
      const mounted = (list(one.inputs.mounts) as { type: string; source: string }[]).filter(
        ({ type }) => type === "volume",
      );
      const volumes = earlier.filter(({ type }) => type.endsWith(":Volume")).map(({ inputs }) => inputs.name);
      expect(volumes.sort()).toEqual(mounted.map(({ source }) => source).sort());
    }
  });

  it("a finished script runs again for its trigger only", () => {
    for (const one of of(ran, COMMAND).filter(({ name }) => name !== "teardown")) {
      expect(one.ignoreChanges).toEqual(expect.arrayContaining(["create", "stdin", "interpreter"]));
      expect(list(one.inputs.triggers).length).toBeGreaterThan(0);
    }
    expect(named(ran, "release", COMMAND).inputs.triggers).toEqual([1]);
  });

  it("no volume is Pulumi's to delete", () => {
    for (const one of of(ran, "docker:index/volume:Volume")) expect(one.retainOnDelete, one.name).toBe(true);
  });

  it("secrets are in envelopes wherever they go", () => {
    for (const { name, inputs } of ran.resources) {
      const bare = JSON.stringify(inputs, (_key, value: unknown) => (isSecret(value) ? "[secret]" : value));
      // Free text for the host goes as base64.
      const words = bare.split(/[\s"\\]+/).map((word) => Buffer.from(word, "base64").toString());
      for (const hidden of [SECRET, KEY, PASSWORD]) {
        expect(bare, name).not.toContain(hidden);
        expect(words.join("\n"), name).not.toContain(hidden);
      }
    }
  });

  it("nothing of this machine is in what another deployer would compare", () => {
    for (const { name, inputs, ignoreChanges } of ran.resources) {
      const compared = Object.entries(inputs).filter(
        ([key]) => !ignoreChanges.includes(key) && !ignoreChanges.includes("*"),
      );
      const text = JSON.stringify(compared);
      for (const path of [homedir(), process.cwd(), tmpdir()]) expect(text, name).not.toContain(`${path}/`);
    }
  });
});

/** The URNs of all that must be there before a resource. */
function before(ran: Ran, { dependencies }: Registered): Set<string> {
  const found = new Set<string>();
  const visit = (urn: string): void => {
    if (found.has(urn)) return;
    found.add(urn);
    ran.resources.find((one) => one.urn === urn)?.dependencies.forEach(visit);
  };
  dependencies.forEach(visit);
  return found;
}

describe("the prod stack as a whole", () => {
  let ran: Ran;
  beforeAll(() => {
    ran = the(prod);
  });

  it("is this", () => {
    const all = ran.resources.map((one) => `${one.type.replace(/^.*:/, "")} ${nameOf(one)}`);
    expect(all.sort()).toEqual(
      [
        "Host host",
        "docker host",
        "RandomUuid lineage",
        "Command claim",
        "Network artsvao-test-edge",
        "Network artsvao-test-data",
        "Command teardown",
        "Database database",
        "RandomPassword database-password",
        "RemoteImage database-image",
        "Volume database-volume",
        "Container database",
        "Service backend",
        "Image backend",
        "Container backend-migrate",
        "Container backend",
        "Service frontend",
        "Image frontend",
        "Container frontend",
        "Proxy proxy",
        "RemoteImage proxy-image",
        "Volume proxy-volume",
        "Container proxy",
        "Release release",
        "Command release",
        "Command health-backend",
        "Command health-frontend",
      ].sort(),
    );
  });

  it("fits into 1 GiB, with 400 MiB left for the system", () => {
    const serving = of(ran, CONTAINER).filter((one) => !nameOf(one).endsWith("-migrate"));
    const limits = serving.reduce((sum, { inputs }) => sum + Number(inputs.memory), 0);
    expect(limits).toBeLessThanOrEqual(1024 - 400);
  });

  it("is reached by ssh with the pinned key, by everything in the same way", () => {
    const provider = ran.resources.find(({ type }) => type === "pulumi:providers:docker");
    const options = JSON.parse(String(provider?.inputs.sshOpts)) as string[];
    expect(provider?.inputs.host).toBe("ssh://root@crm.artsvao.ru");
    const key = "AAAAC3NzaC1lZDI1NTE5AAAAIJfkNOcBVNfRdFd0OWh0Ygd6xHYKh3hRbUoHTk4qXx9e";
    expect(options).toContain(`KnownHostsCommand=/bin/echo %H ssh-ed25519 ${key}`);
    for (const { inputs } of of(ran, COMMAND)) {
      expect(inputs.interpreter).toEqual([
        "ssh",
        ...options,
        "-p",
        "22",
        "-l",
        "root",
        "crm.artsvao.ru",
        "--",
      ]);
    }
  });

  it("has the database on a network without a way out, and nobody else on it who does not need it", () => {
    const data = named(ran, "artsvao-test-data", "docker:index/network:Network");
    expect(data.inputs.internal).toBe(true);
    const on = (network: string) =>
      of(ran, CONTAINER)
        .filter(({ inputs }) =>
          (list(inputs.networksAdvanced) as { name: string }[]).some(({ name }) => name.startsWith(network)),
        )
        .map(nameOf)
        .sort();
    expect(on("artsvao-test-data")).toEqual(["backend", "backend-migrate", "database"]);
    expect(on("artsvao-test-edge")).toEqual(["backend", "backend-migrate", "frontend", "proxy"]);
  });

  it("says where it is, and what runs", () => {
    expect(ran.outputs).toEqual({
      url: "https://crm.artsvao.ru",
      release: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      running: {
        backend: {
          version: named(ran, "backend").name,
          image: named(ran, "backend", "docker:index/image:Image").inputs.imageName,
          why: "first build",
        },
        frontend: {
          version: named(ran, "frontend").name,
          image: named(ran, "frontend", "docker:index/image:Image").inputs.imageName,
          why: "first build",
        },
      },
    });
  });

  it("builds with BuildKit for a stated platform, and pushes nowhere", () => {
    const { inputs, ignoreChanges } = named(ran, "backend", "docker:index/image:Image");
    expect(inputs).toMatchObject({
      skipPush: true,
      build: {
        context: expect.stringMatching(/^\.build\/test\/backend-[0-9a-f]{12}\/context$/) as string,
        dockerfile: expect.stringMatching(
          /^\.build\/test\/backend-[0-9a-f]{12}\/context\/Dockerfile$/,
        ) as string,
        platform: "linux/amd64",
        builderVersion: "BuilderBuildKit",
      },
    });
    expect(inputs.imageName).toMatch(/^artsvao\/test\/backend:[0-9a-f]{12}$/);
    expect(ignoreChanges, "its plugin does not look at them").toEqual([]);
  });

  it("names its containers by their content: another stack's are other ones, the same content's the same", async () => {
    const names = (one: Ran): string[] => of(one, CONTAINER).map(({ name }) => name);
    expect(names(await run({ config: PROD, facts: EMPTY_HOST })).sort()).toEqual(names(ran).sort());
    const another = names(await run({ config: PROD, facts: EMPTY_HOST, stack: "other" }));
    expect(another.filter((name) => names(ran).includes(name))).toEqual([]);
  });
});

describe("images", () => {
  const IMAGE = "docker:index/image:Image";
  /** 1 GiB, 700 MiB of it in use: nothing can be built there. */
  const FULL: Facts = { ...EMPTY_HOST, memory: { total: 1024 * 1024, used: 700 * 1024, ours: 0 } };
  const ROOMY: Facts = { ...EMPTY_HOST, memory: { total: 1024 * 1024, used: 200 * 1024, ours: 0 } };
  const runnerLines = (ran: Ran): string[] => scriptOf(named(ran, "release", COMMAND)).split("\n");

  it("are built on the host one after the other, and what each took is handed to the release", async () => {
    const ran = await run({ config: PROD, facts: ROOMY });
    const [first, second] = of(ran, IMAGE);
    expect(of(ran, IMAGE).map(nameOf).sort()).toEqual(["backend", "frontend"]);
    expect(first?.dependencies).not.toContain(second?.urn);
    expect(second?.dependencies).toContain(first?.urn);
    expect(runnerLines(ran).filter((line) => line.startsWith("measured "))).toEqual([
      `measured ${nameOf(first ?? named(ran, "none"))} 111`,
      `measured ${nameOf(second ?? named(ran, "none"))} 222`,
    ]);
    expect(FakeSampler.running).toBe(0);
  });

  it("are not measured in a preview, nor where the host told nothing of its memory", async () => {
    for (const ran of [await run({ config: PROD, facts: ROOMY, preview: true }), the(prod)]) {
      expect(runnerLines(ran).filter((line) => line.startsWith("measured "))).toEqual([]);
    }
    expect(FakeSampler.running).toBe(0);
  });

  it("that the host has no room to build are built here by a command, and shipped the same way as all else goes", async () => {
    const ran = await run({ config: PROD, facts: FULL });
    expect(of(ran, IMAGE)).toEqual([]);
    const built = of(ran, COMMAND).filter(({ name }) => name.endsWith("-local"));
    expect(built.map(({ name }) => name).sort()).toEqual([
      expect.stringMatching(/^backend-[0-9a-f]{12}-local$/),
      expect.stringMatching(/^frontend-[0-9a-f]{12}-local$/),
    ]);
    const interpreter = list(named(ran, "release", COMMAND).inputs.interpreter);
    for (const { name, inputs, ignoreChanges, dependencies } of built) {
      expect(inputs.interpreter).toEqual(["/bin/sh", "-c"]);
      expect(inputs.triggers).toEqual([0]);
      expect(ignoreChanges).toEqual(["create", "stdin", "environment", "interpreter", "logging"]);
      const lines = String(inputs.stdin).split("\n");
      const service = name.replace(/-[0-9a-f]{12}-local$/, "");
      expect(lines).toContain(
        `tag artsvao/test/${name.replace(/-local$/, "").replace(/-([0-9a-f]{12})$/, ":$1")}`,
      );
      expect(lines).toContain(`context .build/test/${name}/context`);
      expect(lines).toContain(`dockerfile .build/test/${name}/context/Dockerfile`);
      expect(lines).toContain("platform linux/amd64");
      expect(lines.filter((line) => line.startsWith("ssh "))).toEqual(
        interpreter.map((word) => `ssh ${String(word)}`),
      );
      expect(dependencies).toContain(named(ran, "teardown", COMMAND).urn);
      const container = named(ran, service);
      expect(container.dependencies).toContain(ran.resources.find((one) => one.name === name)?.urn);
      // No path of this machine: another deployer would see a diff.
      expect(JSON.stringify(inputs)).not.toContain(homedir());
      expect(JSON.stringify(inputs)).not.toContain(process.cwd());
    }
    expect(built[1]?.dependencies).toContain(built[0]?.urn);
  });

  it("that the host has kept from an earlier release need nothing", async () => {
    const tags = of(the(prod), IMAGE).map(({ inputs }) => String(inputs.imageName));
    const facts = {
      ...ROOMY,
      images: new Map(tags.map((tag) => [tag, "sha256:1"])),
      seen: new Map(tags.map((tag) => [`image:${tag}`, { id: "sha256:1", generation: 2 }])),
    };
    const ran = await run({ config: PROD, facts });
    expect(of(ran, IMAGE)).toEqual([]);
    expect(of(ran, COMMAND).filter(({ name }) => name.endsWith("-local"))).toEqual([]);
    expect(
      runnerLines(ran)
        .filter((line) => line.startsWith("seen image:"))
        .sort(),
    ).toEqual(tags.map((tag) => `seen image:${tag} ${tag} 2`).sort());
    const told = await run({ config: PROD, facts, preview: true });
    expect(told.messages.join("\n")).toContain("image of backend: kept from an earlier release: no build");
  });

  it("that can be built nowhere stop an up before anything, with what to do; a preview goes on", async () => {
    const { error, resources } = await failure({
      config: PROD,
      facts: FULL,
      noEngine: "docker is not installed",
    });
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(resources.map(({ name }) => name)).toEqual(["lineage"]);
    expect(error.message).toBe(
      ["backend", "frontend"]
        .map(
          (service) =>
            `services.${service}: built here and shipped: 316 MiB too little on the host (512 assumed, 196 to spare); but ` +
            "this machine cannot build it: docker is not installed. Start Docker here; or set build: host to build on " +
            `the host all the same; or set services.${service}.buildMemory to what it really needs\n`,
        )
        .join("") + "Nothing was changed.",
    );
    const preview = await run({
      config: PROD,
      facts: FULL,
      noEngine: "docker is not installed",
      preview: true,
    });
    expect(preview.messages.join("\n")).toContain("this machine cannot build it: docker is not installed");
  });

  it("that are on the host already ask nobody for an engine here", async () => {
    const tags = of(the(prod), IMAGE).map(({ inputs }) => String(inputs.imageName));
    const facts = {
      ...FULL,
      images: new Map(tags.map((tag) => [tag, "sha256:1"])),
      seen: new Map(tags.map((tag) => [`image:${tag}`, { id: "sha256:1", generation: 0 }])),
    };
    expect((await run({ config: PROD, facts, noEngine: "none" })).resources.length).toBeGreaterThan(10);
  });
});

describe("values that go into containers", () => {
  it("are secret, all of them, and arrive as they are", async () => {
    const odd = "a\"b'c $HOME `x` \n é \\";
    const ran = await run({
      config: change(change(LOCAL, "services.backend.env", { ODD: odd }), "services.backend.secrets", {
        TOKEN: odd,
      }),
      facts: EMPTY_HOST,
    });
    const secret = (value: unknown): unknown => expect.objectContaining({ value }) as unknown;
    for (const name of ["backend", "backend-migrate"]) {
      const { envs } = named(ran, name).inputs;
      expect(isSecret(envs)).toBe(true);
      expect(envs).toEqual(
        secret([
          "PORT=3000",
          `DATABASE_URL=postgres://app:${PASSWORD}@database:5432/app`,
          "PGHOST=database",
          "PGPORT=5432",
          "PGUSER=app",
          "PGDATABASE=app",
          `PGPASSWORD=${PASSWORD}`,
          `ODD=${odd}`,
          `TOKEN=${odd}`,
        ]),
      );
    }
    const { envs } = named(ran, "database").inputs;
    expect(isSecret(envs)).toBe(true);
    expect(envs).toEqual(secret(["POSTGRES_DB=app", "POSTGRES_USER=app", `POSTGRES_PASSWORD=${PASSWORD}`]));
  });

  it("hold a password that is made anew for another version of it, and fits into an address", async () => {
    const passwordOf = (ran: Ran): Registered =>
      named(ran, "database-password", "random:index/randomPassword:RandomPassword");
    const first = the(local);
    const second = await run({ config: change(LOCAL, "database.passwordVersion", 2), facts: EMPTY_HOST });
    expect(passwordOf(first).inputs).toMatchObject({ length: 32, special: false, keepers: { version: "1" } });
    expect(passwordOf(second).inputs.keepers).toEqual({ version: "2" });
  });
});

describe("a volume that two services share", () => {
  it("is one resource that both come after", () => {
    const ran = the(other);
    const files = of(ran, "docker:index/volume:Volume").filter(
      ({ inputs }) => inputs.name === "artsvao-test-files",
    );
    expect(files).toHaveLength(1);
    for (const name of ["worker", "reader"]) expect(named(ran, name).dependencies).toContain(files[0]?.urn);
  });
});

describe("a second run", () => {
  /** The host after a run, as it would tell of itself. */
  function hostAfter(ran: Ran, gone: readonly string[] = []): Facts {
    const script = scriptOf(named(ran, "release", COMMAND));
    const lines = /^payload\(\) \{\ncat <<'(.*)'\n([\s\S]*?)\n\1$/m.exec(script)?.[2]?.split("\n") ?? [];
    const objects = lines.filter((line) => line.startsWith("object ")).map((line) => line.split(" "));
    return parseFacts(
      [
        "engine linux/amd64 20.10.24",
        ...objects
          .filter(([, , service = ""]) => !gone.includes(service))
          .map(
            ([, key, , role, id]) =>
              `container ${id} ${key} ${role} ${role === "migrate" ? "exited" : "running"}`,
          ),
        ...of(ran, "docker:index/image:Image")
          .filter((one) => !gone.includes(`image ${nameOf(one)}`))
          .map(({ inputs }) => `image ${String(inputs.imageName)}`),
        ...lines
          .map((line) => /^seen (network:\S+) (\S+) /.exec(line) ?? [])
          .filter(([, name]) => name !== undefined && !gone.includes(name))
          .map(([, name, id]) => `network ${id ?? ""} ${name ?? ""}`),
        ...lines
          .map((line) => /^seen (volume:\S+) (\S+) /.exec(line) ?? [])
          .filter(([, name]) => name !== undefined && !gone.includes(name))
          .map(([, , name]) => `volume ${name ?? ""} 0 artsvao/test`),
        ...lines.filter((line) => line.startsWith("seen ")),
        ...lines
          .filter((line) => /^(release|epoch|object|record) /.test(line))
          .map((line) => `current ${line}`),
        "end",
      ].join("\n"),
    );
  }
  /** What the engine compares. */
  const compared = (ran: Ran) =>
    ran.resources
      .map(({ urn, inputs, ignoreChanges, replacementTrigger }) => {
        const ignored = (key: string): boolean =>
          ignoreChanges.includes("*") || (ignoreChanges.includes(key) && key !== "triggers");
        return {
          urn,
          replacementTrigger,
          inputs: Object.fromEntries(Object.entries(inputs).filter(([key]) => !ignored(key))),
        };
      })
      .sort((a, b) => (a.urn < b.urn ? -1 : 1));

  it("is unchanged", async () => {
    const first = the(local);
    const second = await run({ config: LOCAL, facts: hostAfter(first) });
    expect(compared(second)).toEqual(compared(first));
    expect(second.outputs).toEqual(first.outputs);
  });

  it("asks health again of what is new, or has something new before or behind it", async () => {
    const first = the(local);
    const asked = async (path: string, value: unknown) => {
      const second = await run({ config: change(LOCAL, path, value), facts: hostAfter(first) });
      const triggers = (ran: Ran, name: string) => JSON.stringify(named(ran, name, COMMAND).inputs.triggers);
      const again = ["backend", "frontend"].filter(
        (name) => triggers(first, `health-${name}`) !== triggers(second, `health-${name}`),
      );
      const release = named(second, "release", COMMAND).urn;
      for (const name of again)
        expect(named(second, `health-${name}`, COMMAND).dependencies, name).toContain(release);
      return again;
    };
    expect(await asked("smoke", [])).toEqual([]);
    expect(await asked("services.frontend.memory", 100)).toEqual(["frontend"]);
    expect(await asked("database.memory", 200)).toEqual(["backend"]);
    expect(await asked("proxy", { memory: 40 })).toEqual(["backend", "frontend"]);
    // Another host name that it is asked by.
    expect(await asked("domain", "crm.test")).toEqual(["backend", "frontend"]);
  });

  it("writes nothing of a check down anew that the release leaves alone", async () => {
    const first = the(local);
    const second = await run({
      config: change(LOCAL, "services.frontend.memory", 100),
      facts: hostAfter(first),
    });
    const third = await run({
      config: change(LOCAL, "services.frontend.memory", 110),
      facts: hostAfter(second),
    });
    const check = (ran: Ran) => named(ran, "health-backend", COMMAND);
    expect(check(third).dependencies).toEqual(check(second).dependencies);
    // Each says what it needs of its own service alone.
    expect(scriptOf(check(third))).toContain("backend-");
    expect(scriptOf(check(third))).not.toContain("frontend-");
  });

  it("makes anew exactly what is gone from the host, and runs the release", async () => {
    const first = the(local);
    const gone = ["frontend", "image backend", "network:data", "volume:artsvao-test-database"];
    const second = await run({ config: LOCAL, facts: hostAfter(first, gone) });
    const anew = second.resources.filter(({ replacementTrigger }) => replacementTrigger === 1);
    expect(anew.map((one) => `${one.type.replace(/^.*:/, "")} ${nameOf(one)}`).sort()).toEqual([
      "Container frontend",
      "Image backend",
      "Network artsvao-test-data",
      "Volume database-volume",
    ]);
    expect(named(second, "release", COMMAND).inputs.triggers).toEqual([2]);
    const third = await run({ config: LOCAL, facts: hostAfter(second) });
    expect(compared(third)).toEqual(compared(second));
  });

  it("in a preview says so", async () => {
    const first = the(local);
    const second = await run({ config: LOCAL, facts: hostAfter(first), preview: true });
    expect(second.messages).toHaveLength(1);
    expect(second.messages[0]).toContain("serves already: nothing to do");
    expect(second.messages[0]).toMatch(/\nchecklist: 3 of 3 as wanted$/);
    // What the outputs will be is known before anything is done.
    expect(second.outputs).toEqual(first.outputs);
  });
});

describe("a program that must not go on", () => {
  const stopped = async (config: Values, facts: Facts | Error, preview = false): Promise<string> => {
    const { error, resources } = await failure({ config, facts, preview });
    // Pulumi shows it without a stack trace.
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    // What the state calls itself is nothing on the host.
    expect(resources.filter(({ name }) => name !== "lineage")).toEqual([]);
    return error.message;
  };

  it("for a wrong config: all of it at once, before anything else", async () => {
    const { error, resources } = await failure({
      config: change(change(LOCAL, "services.backend.port", 99999), "colour", "red"),
      facts: EMPTY_HOST,
    });
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.message.split("\n")).toEqual([
      "2 things are wrong in the stack's config; nothing was changed",
      "  services.backend.port: must be 1-65535, is 99999",
      expect.stringMatching(/^ {2}colour: is not a setting; known are /),
    ]);
    expect(resources).toEqual([]);
  });

  it("for a stack whose name cannot stand in an image's name", async () => {
    for (const stack of ["Prod", "a..b", "-a"]) {
      const { error, resources } = await failure({ config: LOCAL, facts: EMPTY_HOST, stack });
      expect(pulumi.RunError.isInstance(error)).toBe(true);
      expect(error.message).toMatch(
        /^the stack is called .*: use a-z and 0-9, with single \. _ or - between them$/,
      );
      expect(resources).toEqual([]);
    }
  });

  it("for a source that is not there", async () => {
    expect(await stopped(change(LOCAL, "services.backend.source", "nowhere"), EMPTY_HOST)).toMatch(
      /nowhere: does not exist; create it, or correct the path of the source$/,
    );
  });

  it("for a host that does not answer", async () => {
    expect(await stopped(LOCAL, new Error("no route to host"))).toBe(
      "local: no route to host\nNothing was changed.",
    );
  });

  it("for a host that cannot be deployed to", async () => {
    const facts = {
      ...EMPTY_HOST,
      errors: ["the host lacks the command flock", "the host lacks the command setsid"],
    };
    expect(await stopped(LOCAL, facts)).toBe(
      "local: the host lacks the command flock\nthe host lacks the command setsid\nNothing was changed.",
    );
  });

  it("for another release that is still at work after the configured wait", async () => {
    expect(await stopped(LOCAL, { ...EMPTY_HOST, active: "release 0a1b by ann@laptop" })).toBe(
      "local: another release is at work: release 0a1b by ann@laptop. Run 'pulumi up' again when it is done\nNothing was changed.",
    );
  });

  it.each([
    ["linux/amd64", "linux/arm64"],
    ["linux/arm64", "linux/arm"],
  ])("for images of %s on an engine of %s", async (platform, engine) => {
    expect(await stopped(change(LOCAL, "host.platform", platform), { ...EMPTY_HOST, platform: engine })).toBe(
      `local: host.platform: is ${platform}, but the host's engine is ${engine}\nNothing was changed.`,
    );
  });

  it("for an order that memory does not allow, in a preview too", async () => {
    const first = await run({ config: LEAST, facts: EMPTY_HOST });
    const worker = named(first, "worker");
    const facts: Facts = {
      ...EMPTY_HOST,
      memory: { total: 200 * 1024, used: 80 * 1024, ours: 0 },
      containers: [{ id: "1", key: worker.name, role: "service", state: "running" }],
      current: {
        release: "0",
        number: 1,
        epoch: 1,
        jobs: [],
        objects: [{ key: worker.name, service: "worker", role: "service", id: "1", health: "none" }],
        record: {
          site: "",
          containers: { worker: { key: worker.name, image: "worker:1.0", memory: 64, parts: {} } },
        },
      },
    };
    const config = change(LEAST, "services.worker", {
      image: "worker:2.0",
      memory: 64,
      order: "start-first",
    });
    for (const preview of [false, true]) {
      expect(await stopped(config, facts, preview)).toBe(
        "services.worker.order: start-first needs 56 MiB more than the host has to spare; " +
          "use auto or stop-first, or lower a memory limit\nNothing was changed.",
      );
    }
  });
});

describe("a preview", () => {
  it("goes on without the host, and says what it cannot know", async () => {
    const ran = await run({ config: PROD, facts: new Error("no route to host"), preview: true });
    const [warning = "", plan = ""] = ran.messages;
    expect(warning).toBe(
      "ssh://root@crm.artsvao.ru: no route to host\nThis preview cannot tell what is on the host; 'pulumi up' would stop here.",
    );
    expect(plan).toContain("what serves now is not known");
    expect(of(ran, CONTAINER)).toHaveLength(5);
  });

  it("waits for nobody, and says who is at work", async () => {
    const ran = await run({
      config: LOCAL,
      facts: { ...EMPTY_HOST, active: "release 0a1b by ann@laptop" },
      preview: true,
    });
    expect(ran.waited).toBe(0);
    expect(ran.asked).toContain("wait 0");
    expect(ran.messages).toHaveLength(1);
    expect(ran.messages[0]).toContain("at work just now: release 0a1b by ann@laptop");
  });

  it("shows the plan, an update does not: it shows what is done", async () => {
    const update = the(local);
    expect(update.messages).toEqual([]);
    expect(update.waited).toBe(60);
    const preview = await run({ config: LOCAL, facts: EMPTY_HOST, preview: true });
    expect(preview.messages[0]).toContain("the first one");
  });

  it("goes through the checklist, and says what an update would stop at", async () => {
    const deployer = { repositories: [{ path: ".", commit: "0123456789abcdef", changed: 2, pushed: true }] };
    const config = change(LOCAL, "checks", { tree: { level: "stop" } });
    const words = "tree: the project has 2 files that no commit holds: nobody can build this release again";
    const preview = await run({ config, facts: EMPTY_HOST, deployer, preview: true });
    expect(preview.messages[0]?.endsWith(`\nchecklist: 2 of 3 as wanted\n  STOP  ${words}`)).toBe(true);
    const { error, resources } = await failure({ config, facts: EMPTY_HOST, deployer });
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.message).toBe(
      `checks.${words}\nNothing was changed. Put it right, or set the check's level to warn in the stack's config.`,
    );
    expect(resources.map(({ name }) => name)).toEqual(["lineage"]);
    const warned = await run({ config: LOCAL, facts: EMPTY_HOST, deployer });
    expect(warned.messages).toEqual([`warn  ${words}`]);
  });

  it("of a host without an engine knows as little as of one that does not answer", async () => {
    const facts = { ...NO_FACTS, errors: ["no Docker engine answers on the host"] };
    const ran = await run({ config: LOCAL, facts, preview: true });
    expect(ran.messages[1]).toContain("what serves now is not known");
  });
});

describe("whose host it is", () => {
  const OWNED: Facts = {
    ...EMPTY_HOST,
    machine: MACHINE,
    owner: {
      stack: "artsvao/test",
      lineage: LINEAGE,
      machine: MACHINE,
      by: "ann@laptop",
      since: "2026-11-23 03:00:00 UTC",
    },
  };
  const OTHERS: Facts = { ...OWNED, owner: OWNED.owner && { ...OWNED.owner, lineage: "another" } };

  it("is this state's: it goes on, and tells the host so in each script that changes something", async () => {
    const ran = await run({ config: LOCAL, facts: OWNED });
    const said = (name: string) => scriptOf(named(ran, name, COMMAND));
    for (const name of ["claim", "release", "teardown"])
      expect(said(name)).toContain(`\nlineage ${LINEAGE}\n`);
    expect(said("claim")).toMatch(/\nby .+@.+\n/);
    expect(said("teardown")).toContain(`\nmachine ${MACHINE}\n`);
  });

  it.each([[false], [true]])("is nobody's: a new state goes on (preview: %s)", async (preview) => {
    const { resources } = await run({ config: LOCAL, facts: EMPTY_HOST, fresh: true, preview });
    expect(resources.map(({ name }) => name)).toContain("teardown");
  });

  it.each([
    ["an update", { preview: false }],
    ["a preview", { preview: true }],
    ["a preview of a state that has made nothing yet", { preview: true, fresh: true }],
  ])("is another state's: %s stops before anything on the host", async (_, how) => {
    const { error, resources } = await failure({ config: LOCAL, facts: OTHERS, ...how });
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(
      /^local: the stack artsvao\/test there belongs to another state, .* ann@laptop/,
    );
    expect(error.message).toMatch(/\nNothing was changed\.$/);
    expect(resources.map(({ name }) => name)).toEqual(["lineage"]);
  });

  it.each([[false], [true]])(
    "is not known: another machine answers, and nothing is done to it (preview: %s)",
    async (preview) => {
      const facts = { ...EMPTY_HOST, machine: "ba9876543210" };
      const { error, resources } = await failure({ config: LOCAL, facts, preview });
      expect(pulumi.RunError.isInstance(error)).toBe(true);
      expect(error.message).toContain(
        `another machine (${MACHINE}) than the one that answers now (ba9876543210)`,
      );
      expect(resources.map(({ name }) => name)).toEqual(["lineage", "claim"]);
    },
  );

  it("cannot be told by a host that does not answer: the preview goes on", async () => {
    const ran = await run({ config: LOCAL, facts: new Error("no route to host"), preview: true });
    expect(ran.messages[0]).toContain("no route to host");
    expect(ran.resources.length).toBeGreaterThan(10);
  });
});

describe("volumes that are there already", () => {
  it("are not taken from another stack", async () => {
    const facts = {
      ...EMPTY_HOST,
      volumes: [{ name: "artsvao-test-files", stack: "artsvao/test-files", made: 0 }],
    };
    const { error, resources } = await failure({ config: OTHER, facts, preview: true });
    expect(error.message).toBe(
      "services.worker.volumes[0].name: the volume artsvao-test-files on the host belongs to the stack " +
        "artsvao/test-files: use another name\n" +
        "services.reader.volumes[0].name: the volume artsvao-test-files on the host belongs to the stack " +
        "artsvao/test-files: use another name\nNothing was changed.",
    );
    expect(resources.map(({ name }) => name)).toEqual(["lineage"]);
  });

  it("are told in the preview when they are adopted", async () => {
    const facts = { ...EMPTY_HOST, volumes: [{ name: "artsvao-test-files", stack: undefined, made: 0 }] };
    const { messages } = await run({ config: OTHER, facts, preview: true });
    expect(messages.join("\n").match(/adopts .*/g)).toEqual([
      "adopts the existing volume artsvao-test-files with its data",
    ]);
  });
});
