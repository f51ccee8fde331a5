import { describe, expect, it } from "vitest";
import { partsOf } from "../../../plan/config/references";
import { filledIn, looksSecret } from "../../../plan/wanted/environment";
import { nameContainer, serviceSpec } from "../../../plan/wanted/container";
import { change, LEAST, problemsOf, read, type Values } from "../support/config";
import { NAMES } from "../support/stack";

const APP: Values = {
  ...LEAST,
  database: { version: 17, memory: 200, name: "crm", user: "app", passwordVersion: 2 },
  services: {
    api: { image: "api:1", port: 3000, health: "/health", memory: 64, needs: ["database", "queue"] },
    queue: { image: "queue:1", port: 6379, healthCommand: "queue ping", memory: 32 },
    web: { image: "web:1", port: 3001, health: "/health", memory: 64, needs: ["api"] },
    worker: { image: "worker:1", memory: 64 },
  },
};

/** A text of api's env as the container gets it. */
function told(text: string, service = "api"): string {
  const config = read(change(APP, `services.${service}.env`, { VALUE: text }));
  const value = serviceSpec(service, config, "image:1", NAMES).env.VALUE;
  if (value === undefined) throw new Error("no VALUE");
  if ("secret" in value) throw new Error("a secret");
  return "plain" in value ? value.plain : filledIn(value, "the-password");
}

describe("a text that refers to what the stack knows", () => {
  it.each([
    ["${database.host}", "database"],
    ["${database.port}", "5432"],
    ["${database.name}", "crm"],
    ["${database.user}", "app_v2"],
    ["${database.password}", "the-password"],
    ["${database.url}", "postgres://app_v2:the-password@database:5432/crm"],
    [
      "jdbc:postgresql://${database.host}:${database.port}/${database.name}?ssl=false",
      "jdbc:postgresql://database:5432/crm?ssl=false",
    ],
    ["${database.password}${database.password}", "the-passwordthe-password"],
    ["{password} is ${database.password}", "{password} is the-password"],
    ["${queue.url}", "tcp://queue:6379"],
    ["${queue.host}:${queue.port}", "queue:6379"],
    // What is no reference is a text.
    ["$${database.password}", "${database.password}"],
    ["$$${database.host}", "$${database.host}"],
    [
      "${HOME} $HOME $$ ${} ${a} ${1.b} ${Database.host}",
      "${HOME} $HOME $$ ${} ${a} ${1.b} ${Database.host}",
    ],
    ["a$", "a$"],
    ["", ""],
  ])("%j is told as %j", (text, value) => {
    expect(told(text)).toBe(value);
  });

  it("is another service's address, as others reach it", () => {
    expect(told("${api.url}/v1", "web")).toBe("http://api:3000/v1");
  });

  it("keeps the password a secret, and follows its version", () => {
    const named = (version: number) => {
      const values = change(change(APP, "database.passwordVersion", version), "services.api.env", {
        DB_PASSWORD: "${database.password}",
      });
      return nameContainer(serviceSpec("api", read(values), "image:1", NAMES), undefined);
    };
    expect(named(2).spec.env.DB_PASSWORD).toEqual({ withPassword: "\0", version: 2 });
    expect(named(3).key).not.toBe(named(2).key);
    expect(named(2).key).toBe(named(2).key);
  });

  it("is in parts what it was", () => {
    expect(partsOf("a${b.c}d$${e.f}")).toEqual(["a", { of: "b", what: "c" }, "d", "${e.f}"]);
  });

  const wrong = (service: string, text: string): readonly string[] =>
    problemsOf(change(APP, `services.${service}.env`, { VALUE: text }));
  const literal = (said: string) => `(a text like this is written $${said})`;
  it.each([
    [
      "api",
      "${database.pass}",
      "${database.pass} is not known: there are ${database.host}, ${database.port}, ${database.name}, ${database.user}, ${database.password}, ${database.url} " +
        literal("${database.pass}"),
    ],
    [
      "api",
      "${redis.host}",
      "${redis.host} asks for redis, and there is no such service " + literal("${redis.host}"),
    ],
    [
      "api",
      "${queue.password}",
      "${queue.password} is not known: there are ${queue.host}, ${queue.port}, ${queue.url} " +
        literal("${queue.password}"),
    ],
    ["worker", "${database.url}", "${database.url} is of use only with database in needs: add it there"],
    ["worker", "${api.url}", "${api.url} is of use only with api in needs: add it there"],
    ["api", "${worker.url}", "${worker.url} asks for an address, and worker has no port"],
  ])("in %s, %j is refused in words", (service, text, problem) => {
    expect(wrong(service, text)).toEqual([`services.${service}.env.VALUE: ${problem}`]);
  });

  it("is refused where there is no database", () => {
    const values = change(change(APP, "database", undefined), "services.api", {
      image: "api:1",
      memory: 64,
      env: { URL: "${database.url}" },
    });
    expect(problemsOf(values)).toEqual([
      "services.api.env.URL: ${database.url} asks for a database, and none is configured " +
        literal("${database.url}"),
    ]);
  });
});

describe("a plain value that looks like a secret", () => {
  it.each([
    [
      { API_TOKEN: "x", STRIPE_API_KEY: "x", dbPassword: "x", DB_PASSWORD: "x" },
      ["API_TOKEN", "STRIPE_API_KEY", "DB_PASSWORD"],
    ],
    [{ TOKEN_TTL: "60", SECRETS_FILE: "/x", PUBLIC_KEY: "x", PASSWORD: "" }, []],
    [{ DB_PASSWORD: "${database.password}" }, []],
  ])("%j: %j", (env, names) => {
    const { api } = read(change(APP, "services.api.env", env)).services;
    if (api === undefined) throw new Error("no api");
    expect(looksSecret(api)).toEqual(names);
  });
});
