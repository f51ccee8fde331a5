import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { checkout } from "./lib/checkout";
import { pause } from "./lib/command";
import { composeThatAnswers } from "./lib/composeClient";
import { Example } from "./lib/example";
import { expectSuccess } from "./lib/expect";
import { localHost } from "./lib/host";
import { ops } from "./lib/ops";
import { freePort } from "./lib/port";
import { rows } from "./lib/rows";
import type { Setting } from "./lib/workspace";

/**
 * Compose files as real projects have them (test/ops/compose), imported and deployed on this machine's engine. What their
 * images and sources would be is not here: test/e2e/apps/anything stands for them, and these Redis and PostgreSQL for theirs.
 */
interface Project {
  readonly name: string;
  /** Folders that are built. */
  readonly sources: readonly string[];
  readonly dockerfile?: string;
  readonly settings: readonly (readonly [path: string, value: Setting])[];
  /** Service -> how many of it run. */
  readonly runs: Readonly<Record<string, number>>;
  readonly asks: readonly {
    readonly host: string;
    readonly path: string;
    readonly env: Readonly<Record<string, string>>;
  }[];
}

const ANYTHING = "compose-anything:1";
const POSTGRES = [
  ["database.image", "postgres:15-bookworm"],
  ["database.version", 15],
] as const;
const secret = (text: string) => expect.stringMatching(text) as string;

const PROJECTS: readonly Project[] = [
  {
    name: "nest",
    sources: ["api", "web"],
    settings: [["services.redis.image", "redis:7-bookworm"], ...POSTGRES],
    runs: { api: 1, database: 1, proxy: 1, redis: 1, web: 1 },
    asks: [
      {
        host: "shop.example.org",
        path: "/api/things",
        env: {
          DATABASE_URL: secret(String.raw`^postgres://shop:\w+@database:5432/shop\?schema=public$`),
          JWT_SECRET: "Zm9vYmFyYmF6cXV4",
          TEMPLATE: "cost ${amount}",
        },
      },
      { host: "www.shop.example.org", path: "/", env: { PORT: "3000" } },
    ],
  },
  {
    name: "django",
    sources: ["."],
    dockerfile: "docker/Dockerfile",
    settings: [["services.broker.image", "redis:7-bookworm"], ...POSTGRES],
    runs: { broker: 1, celery: 1, database: 1, proxy: 1, web: 2 },
    asks: [
      {
        host: "site.example.org",
        path: "/",
        env: {
          DB_HOST: "database",
          DB_PASSWORD: secret("^\\w{20,}$"),
          CELERY_BROKER_URL: "redis://broker:6379/0",
        },
      },
    ],
  },
  {
    name: "go",
    sources: [],
    settings: [
      ["services.app.image", ANYTHING],
      ["services.mqtt.image", ANYTHING],
      ["services.site.image", "nginx:1.30-trixie"],
    ],
    runs: { app: 1, mqtt: 1, proxy: 1, site: 1 },
    asks: [{ host: "devices.example.org", path: "/api/x", env: { MQTT: "tcp://mqtt:1883" } }],
  },
  {
    name: "anchors",
    sources: [],
    settings: [
      ["services.my-app.image", ANYTHING],
      ["services.worker.image", ANYTHING],
      ["services.database-service.image", ANYTHING],
    ],
    runs: { "database-service": 1, "my-app": 1, proxy: 1, worker: 3 },
    asks: [{ host: "localhost", path: "/", env: { LOG_LEVEL: "info", TZ: "Europe/Moscow" } }],
  },
];

const answered = z.object({ env: z.record(z.string(), z.string()) });

describe("compose files of real projects, as stacks", () => {
  beforeAll(async () => {
    await localHost.sh(`docker build -q -t ${ANYTHING} ${join(checkout, "test/e2e/apps/anything")}`);
  });

  afterAll(async () => {
    await localHost.sh(`docker image rm ${ANYTHING}`);
  });

  describe.each(rows(PROJECTS, ({ name }) => name === "nest"))(
    "$name",
    ({ name, sources, dockerfile = "Dockerfile", settings, runs, asks }) => {
      let app: Example;
      let path = "";
      beforeAll(async () => {
        app = await Example.in(`test/ops/compose/${name}`, `was-${name}`, "test/e2e/apps/compose/stack.yaml");
        const { folder } = app.workspace;
        const here = join(folder, "test/ops/compose", name);
        for (const source of sources) {
          await cp(join(checkout, "test/e2e/apps/anything"), join(here, source), { recursive: true });
          if (dockerfile !== "Dockerfile")
            await cp(join(here, source, "Dockerfile"), join(here, source, dockerfile));
        }
        // Volumes that belong to this test alone.
        const answer = (await readFile(join(here, "answer.json"), "utf8"))
          .replaceAll("@FOLDER@", here)
          .replace(/"(nest_|site_media|go_|maria")/g, `"${app.workspace.stack}-$1`);
        path = await composeThatAnswers(app, answer);
      });
      afterAll(async () => {
        await app.remove();
        await localHost.sh(
          `docker volume ls -q --filter name=^${app.workspace.stack}- | xargs -r docker volume rm`,
        );
      });

      it("is imported, previews, runs whole, and is nothing to do again", async () => {
        const { code, stderr } = await ops(app, ["import", "compose", "compose.yaml", "--yes"], "", 60, {
          PATH: path,
        });
        expect([code, stderr]).toEqual([0, ""]);
        for (const [setting, value] of settings) await app.workspace.set(setting, value);
        if (name === "go") {
          await app.workspace.set("services.mqtt.publish", [
            { port: 1883, host: await freePort(), address: "127.0.0.1" },
          ]);
        }
        expectSuccess(await app.pulumi.preview());
        expectSuccess(await app.pulumi.up());
        const running = (await localHost.containers(app.fullName)).filter((one) => one.running);
        const counted: Record<string, number> = {};
        for (const { service } of running) {
          const of = service.replace(/\.\d+$/, "");
          counted[of] = (counted[of] ?? 0) + 1;
        }
        expect(counted).toEqual(runs);
        for (const { host, path: asked, env } of asks) {
          const { status, text } = await app.ask(host, asked);
          expect(status).toBe(200);
          expect(answered.parse(JSON.parse(text)).env).toMatchObject(env);
        }
        if (name === "anchors") {
          const worker = running.find(({ service }) => service === "worker")?.id ?? "";
          await pause(1500);
          // Its words whole, and the other service under the name that it has now.
          expect(await localHost.sh(`docker logs ${worker}`)).toMatch(/^--queue\|two words 200$/m);
        }
        expect((await app.pulumi.up()).changes).toEqual([]);
      });
    },
  );
});
