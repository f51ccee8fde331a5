import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFacts } from "../../../plan/found/answer";
import { objectLine, planLines, stackLines } from "../../../plan/release/wire";
import { stackLabel } from "../../../plan/wanted/names";
import { change, LEAST, read, type Values } from "../support/config";
import {
  containersOf,
  created,
  factsAfter,
  LINEAGE,
  NAMES,
  payload,
  planned,
  ROOMY,
  SENDER,
} from "../support/stack";

// The same cases on every run.
fc.configureGlobal({ seed: 2010 });

const SHOP: Values = {
  ...LEAST,
  domain: ["example.org", "www.example.org"],
  database: { version: 17, memory: 128 },
  services: {
    web: {
      image: "web:1",
      port: 3000,
      route: "/",
      health: "/health?x=1",
      memory: 64,
      needs: ["database"],
      migrate: ["up"],
      stopGrace: 7,
    },
    worker: { image: "worker:1", memory: 64 },
  },
  smoke: [
    { path: "/", contains: "Café <b>" },
    { path: "/about", status: 301, host: "www.example.org" },
  ],
};
const done = planned(read(SHOP));
const unpack = (text: string): string => Buffer.from(text, "base64").toString("utf8");

describe("what every script is told", () => {
  it("is where the stack's memory is, its label, its images and how long to wait", () => {
    expect(stackLines(NAMES, read(LEAST).host, 60, LINEAGE)).toEqual([
      "state /var/lib/shop/test",
      "label deploy.stack=shop/test",
      "images shop/test",
      "wait 60",
      "log /var/log/shop-deploy.log",
      `lineage ${LINEAGE}`,
    ]);
    const { host } = read(
      change(LEAST, "host", { address: "local", stateDir: "/srv/deploy", log: "/srv/log" }),
    );
    expect(stackLines(NAMES, host, 0, undefined)).toEqual([
      "state /srv/deploy/test",
      "label deploy.stack=shop/test",
      "images shop/test",
      "wait 0",
      "log /srv/log",
    ]);
    expect(stackLabel({ project: "a", stack: "b" })).toBe("deploy.stack=a/b");
  });
});

describe("a container as the runner reads it", () => {
  const specs = new Map(
    containersOf(done.stack).map(({ key, spec }) => [key.replace(/-[0-9a-f]{12}$/, ""), spec]),
  );
  it.each([
    ["web", "object KEY web service ID 7 http:3000:/health?x=1 60 http://example.org"],
    ["web-migrate", "object KEY web migrate ID 7 none 600"],
    ["worker", "object KEY worker service ID 10 none 60"],
    ["proxy", "object KEY proxy proxy ID 2 proxy 30"],
    [
      "database",
      "object KEY database database ID 30 " +
        `exec:${Buffer.from("pg_isready -q -h 127.0.0.1 -U app -d app").toString("base64")} 120`,
    ],
  ])("%s", (name, line) => {
    const spec = specs.get(name);
    if (spec === undefined) throw new Error(name);
    expect(objectLine("KEY", "ID", spec)).toBe(line);
  });
});

describe("a plan as the runner reads it", () => {
  const { plan, config, stack } = done;
  const images = [{ tag: "shop/test/web:1234", generation: 2 }];
  const containers = created(stack).map((one) => ({ ...one, generation: 3 }));
  const lines = planLines(plan, config, containers, images, {
    by: "ann@laptop",
    repositories: [
      { path: ".", commit: "c0ffee", changed: 0, pushed: true },
      { path: "../a b", commit: "beef", changed: 2, pushed: true },
      { path: "broken", commit: "dead", changed: undefined, pushed: false },
      { path: "elsewhere", commit: undefined, changed: 0, pushed: false },
    ],
  });
  const rest = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it("names itself and who brings it", () => {
    expect(lines.slice(0, 4)).toEqual([
      `holder release ${plan.release} by ann@laptop`,
      "by ann@laptop",
      `release ${plan.release}`,
      "epoch 1",
    ]);
  });

  it("says of each commit whether it is all that was deployed", () => {
    // Where git cannot tell, it is not.
    expect(rest("commit")).toEqual(["c0ffee clean .", "beef changed ../a b", "dead changed broken"]);
  });

  it("names the secrets of each service, without their values", () => {
    const web = {
      ...(SHOP.services as Record<string, object>).web,
      secrets: { TOKEN: "hunter2", KEY: "hunter3" },
    };
    const withSecrets = planned(read({ ...SHOP, services: { web }, identityKey: "k".repeat(40) }));
    const told = planLines(withSecrets.plan, withSecrets.config, [], [], SENDER);
    expect(told.filter((line) => line.startsWith("secret "))).toEqual(["secret web TOKEN", "secret web KEY"]);
    expect(told.join("\n")).not.toContain("hunter");
    expect(rest("secret")).toEqual([]);
  });

  it("has each step", () => {
    expect(rest("do")).toEqual(plan.steps.map(({ verb, arguments: words }) => [verb, ...words].join(" ")));
    expect(rest("do")).toContain("record");
  });

  it("has each container that any step names, the ones that will serve, and how often each was made", () => {
    const keys = containers.map(({ key }) => key);
    expect(rest("object").map((line) => line.split(" ")[0])).toEqual(keys);
    expect(rest("serves")).toEqual([keys.join(" ")]);
    expect(rest("seen")).toEqual([
      ...keys.map((key) => `${key} ${key}.1 3`),
      "image:shop/test/web:1234 shop/test/web:1234 2",
      ...["shop-test-database", "shop-test-proxy"].map((name) => `volume:${name} ${name} 0`),
    ]);
    const named = plan.steps.filter(({ verb }) => ["start", "healthy", "migrate"].includes(verb));
    for (const {
      arguments: [key],
    } of named)
      expect(keys).toContain(key);
  });

  it("has free text only as base64", () => {
    const texts = Object.fromEntries(rest("text").map((line) => line.split(" ") as [string, string]));
    expect(Object.keys(texts)).toEqual(Object.keys(plan.texts));
    for (const [name, text] of Object.entries(texts)) expect(unpack(text)).toBe(plan.texts[name]);
    expect(
      rest("smoke").map((line) => line.split(" ").map((word, i) => (i === 3 ? unpack(word) : word))),
    ).toEqual([
      ["example.org", "/", "200", "Café <b>"],
      ["www.example.org", "/about", "301", ""],
    ]);
  });

  it("says what each change of routes is, for people", () => {
    for (const [name, label] of Object.entries(plan.labels)) expect(rest(`label-${name}`)).toEqual([label]);
  });

  it("is read back as what serves, once it is recorded", () => {
    const { current } = parseFacts(factsAfter(done).join("\n"));
    expect(current).toEqual({
      release: plan.release,
      number: 0,
      epoch: 1,
      jobs: [],
      record: plan.record,
      objects: created(stack).map(({ key, id, spec }) => ({
        key,
        id,
        service: spec.service,
        role: spec.role,
        health: objectLine(key, id, spec).split(" ")[6],
      })),
    });
  });
});

describe("any accepted config", () => {
  const text = fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .filter((one) => !/[\0\r\n]/.test(one));
  const path = fc
    .string({ unit: fc.constantFrom(..."aZ0._~!$&()*+,;=:@%/?-".split("")), maxLength: 12 })
    .map((one) => `/${one}`);

  it("goes over in lines of plain words, and no line is another's", () => {
    fc.assert(
      fc.property(text, text, path, path, (contains, command, health, smoke) => {
        const values = change(change(SHOP, "services.web.health", health), "smoke", [
          { path: smoke, contains },
        ]);
        const all = payload(planned(read(change(values, "services.worker.healthCommand", command))));
        for (const line of all) {
          expect(line).not.toMatch(/[\n\r\0]/);
          expect(line).toMatch(
            /^(state|label|images|wait|log|lineage|holder|by|release|epoch|base|kind|config|data|migration|retain|object|serves|seen|do|text|label-\S+|smoke|probe|budget|record) /,
          );
        }
        const smokes = all.filter((line) => line.startsWith("smoke ")).map((line) => line.split(" "));
        expect(smokes.map((words) => words.length)).toEqual([5]);
        expect(unpack(smokes[0]?.[4] ?? "")).toBe(Buffer.from(contains).toString());
        const objects = all.filter((line) => line.startsWith("object ")).map((line) => line.split(" "));
        for (const words of objects) expect(words.length).toBe(words[6]?.startsWith("http:") ? 9 : 8);
        const asked = all.find((line) => line.includes(" worker service "))?.split(" ")[6] ?? "";
        expect(unpack(asked.replace("exec:", ""))).toBe(Buffer.from(command).toString());
      }),
      { numRuns: 40 },
    );
  });

  it("comes back as what serves, whatever the memory of the host", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (total, used) => {
        const facts = parseFacts(factsAfter(done, { ...ROOMY, total, used }).join("\n"));
        expect(facts.memory).toEqual({ total, used, ours: 0 });
      }),
      { numRuns: 20 },
    );
  });
});
