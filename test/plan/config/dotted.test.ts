import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../plan/config/errors";
import { readConfig } from "../../../plan/config/read";

const LEAST = {
  "host.address": "local",
  domain: "localhost",
  "services.web.source": "../web",
  "services.web.port": "3000",
  "services.web.route": "/",
  "services.web.health": "/health",
  "services.web.memory": "64",
};

function problems(raw: Record<string, string>): readonly string[] {
  try {
    readConfig(raw);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("a key with dots", () => {
  it("is a path, and its text what the setting takes there", () => {
    expect(readConfig(LEAST)).toMatchObject({
      host: { address: "local" },
      services: { web: { source: "../web", port: 3000, route: ["/"], memory: 64, replicas: 1 } },
    });
    const more = {
      "services.web.env.LEVEL": "1",
      "services.web.needs": '["api"]',
      "services.web.headers": "{}",
    };
    const api = { services: '{"api":{"image":"api:1","memory":32,"healthCommand":"true"}}' };
    expect(readConfig({ ...LEAST, ...more, ...api })).toMatchObject({
      services: { web: { env: { LEVEL: "1" }, needs: ["api"] }, api: { image: "api:1" } },
    });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["that is wrong is told by its path", { "services.web.port": "http" }, /^services\.web\.port: must be /],
    [
      "that is no setting",
      { "services.web.prot": "1" },
      /^services\.web\.prot: is not a setting: did you mean port\?/,
    ],
    [
      "that stands there twice",
      { services: '{"web":{"port":3000}}' },
      /^services\.web\.port: stands in the config twice, as services\.web\.port and within services: keep one/,
    ],
    [
      "below what has nothing below it",
      { "domain.name": "x" },
      /^domain\.name: domain stands in the config too, and has nothing below it/,
    ],
    ["that is no path", { "host..address": "x" }, /^\["host\.\.address"\]: is not a setting/],
    ["with an odd name", { "host.__proto__": "x" }, /^\["host\.__proto__"\]: is not a setting/],
  ])("%s", (_, more, said) => {
    expect(problems({ ...LEAST, ...more })).toContainEqual(expect.stringMatching(said));
  });
});
