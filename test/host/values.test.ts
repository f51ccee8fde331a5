import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../plan/config/schema";
import { deployed, prepare, release } from "./lib/release";
import { serves } from "./lib/scenarios";
import { serving, violations } from "./lib/serving";
import { apiService, config, plain, webService } from "./lib/stacks";
import { removeWorlds, World } from "./lib/world";

// Free text from config reaches curl and grep as it was written, whatever sh makes of such characters.

afterAll(removeWorlds);

const HARD_PATH = "/health?deep=1&home=$HOME;*(a)!~@%20+,='?".replaceAll("'", "");

const HARD_TEXTS = [
  `it's "fine"`,
  "costs $5, $HOME, $(id), `id`, ${x}",
  "Всё работает — ёлки «да»",
  "-v --version",
  "C:\\new\\table \\\\ \\1",
  ".* [a-z]+ ^start$ ?*",
  "  two  spaces\tand a tab ",
];

describe.concurrent("a smoke test's wanted text", () => {
  it.each([HARD_TEXTS, [HARD_TEXTS.join("")]])(
    "is found, and missed when it is not there: %s",
    async (...texts) => {
      const world = World.create();
      const smoke = texts.map((contains) => ({ path: "/", contains }));
      const next = prepare(world, plain(1, 1, { smoke }));
      const page = (body: string): void => {
        const key = next.keys.find((one) => one.startsWith("web-")) ?? "";
        writeFileSync(join(world.dir, world.containerOf(key), "page"), body);
      };
      const [first = ""] = texts;
      page("<p>something else</p>\n");
      const missed = await release(world, next);
      expect(missed.code).toBe(1);
      expect(missed.output).toContain(
        `GET / answers 200, but its text does not contain: ${first}\n    | <p>something else</p>\n`,
      );
      page(`<!doctype html>\n<p>before ${texts.join(" after\nbefore ")} after</p>\n`);
      expect((await release(world, next)).code).toBe(0);
      expect(violations(world)).toEqual([]);
    },
  );
});

describe.concurrent("other values", () => {
  it("a health path with a query and characters of the shell is asked as it stands", async () => {
    const world = World.create();
    const services = { web: { ...webService(1), health: HARD_PATH }, api: apiService(1) };
    const { keys } = await deployed(world, config({ services }));
    const web = keys.find((key) => key.startsWith("web-")) ?? "";
    expect(world.lines("asked").find((call) => call.includes(`//${web}:`))).toMatch(
      `http://${web}:3001${HARD_PATH}`,
    );
    // And as other services and the stack's own check reach it.
    const object = world.lines("state/test/current").filter((line) => line.startsWith("object "));
    const check = await world.run("check", [`key ${web}`, ...object]);
    expect(check).toEqual({ code: 0, output: "web is healthy\n" });
    expect(world.lines("asked").at(-1)).toMatch(`http://web:3001${HARD_PATH}`);
  });

  it("a smoke test asks for the site by its name, or by one of its own", async () => {
    const world = World.create();
    const smoke = [
      { path: "/" },
      { path: "/api/x?y=$(id)&z='".replace("'", ""), host: "admin.shop.example" },
    ];
    await deployed(world, plain(1, 1, { smoke }));
    const asked = world.lines("asked").filter((call) => call.startsWith("smoke"));
    expect(asked.map((call) => call.split(" ")[2])).toEqual([
      "shop.example",
      "admin.shop.example",
      "shop.example",
      "admin.shop.example",
    ]);
    expect(violations(world)).toEqual([]);
  });

  it("another status is wanted and given", async () => {
    const world = World.create();
    const smoke = [{ path: "/api/x", status: 503 }];
    const next = prepare(world, plain(1, 1, { smoke }));
    const refused = await release(world, next);
    expect(refused.output).toContain("GET /api/x answers 200, wanted 503\n");
    expect(refused.code).toBe(1);
  });
});

describe.concurrent("the check of one service", () => {
  it("fails with what the service answers, and changes nothing", async () => {
    const { world, before } = await serves(plain());
    const start = serving(world);
    const api = before.keys.find((key) => key.startsWith("api-")) ?? "";
    world.behave(api, "sick");
    const object = world.lines("state/test/current").filter((line) => line.startsWith("object "));
    const { code, output } = await world.run("check", [`key ${api}`, ...object]);
    expect(code).toBe(1);
    expect(output).toBe("http://api:3000/api/health answers 503 (asked as http://shop.example)\n");
    expect(serving(world)).toEqual(start);
    expect(world.lines("calls")).toEqual([]);
  });
});

describe.concurrent("requests in flight", () => {
  const stopFirst = (api: number): Config =>
    config({ services: { web: webService(1), api: { ...apiService(api), order: "stop-first" } } });

  /** An open connection of the proxy to a container, as /proc/net/tcp shows it. */
  function openTo(world: World, key: string, port: number): string {
    const ip = /^ip='([\d.]+)/m.exec(world.read(`${world.containerOf(key)}/about`) ?? "")?.[1] ?? "";
    const hex = (n: number, digits: number): string => n.toString(16).toUpperCase().padStart(digits, "0");
    const remote = ip
      .split(".")
      .reverse()
      .map((part) => hex(Number(part), 2))
      .join("");
    return [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
      `   0: 050012AC:A0F2 ${remote}:${hex(port, 4)} 01 00000000:00000000 00:00000000 00000000   101`,
      `   1: 050012AC:A0F3 ${remote}:${hex(port, 4)} 06 00000000:00000000 00:00000000 00000000   101`,
      "",
    ].join("\n");
  }

  it("are waited for before the old version is stopped, and no longer than its grace", async () => {
    const { world, before } = await serves(stopFirst(1));
    const next = prepare(world, stopFirst(2));
    const key = (start: string): string => before.keys.find((one) => one.startsWith(start)) ?? "";
    world.write(`${world.containerOf(key("proxy-"))}/net-tcp`, openTo(world, key("api-"), 3000));
    const { code, output } = await release(world, next);
    expect(code).toBe(0);
    expect(output).toContain(`  ${key("api-")} still has requests open after 1 s: they get its SIGTERM\n`);
    const looks = world.lines("asked").filter((call) => call.includes("/proc/net/tcp"));
    expect(looks.length).toBeGreaterThan(2);
  });

  it("to others, or over already, are not waited for", async () => {
    const { world, before } = await serves(stopFirst(1));
    const next = prepare(world, stopFirst(2));
    const key = (start: string): string => before.keys.find((one) => one.startsWith(start)) ?? "";
    const others =
      openTo(world, key("web-"), 3001) + openTo(world, key("api-"), 3000).replace(" 01 ", " 06 ");
    world.write(`${world.containerOf(key("proxy-"))}/net-tcp`, others);
    const { code, output } = await release(world, next);
    expect(code).toBe(0);
    expect(output).not.toContain("still has requests open");
  });
});
