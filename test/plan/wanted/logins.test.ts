import { describe, expect, it } from "vitest";
import { clientConfig, providerLogins, registriesOf } from "../../../plan/wanted/logins";
import { change, LEAST, read } from "../support/config";

const login = { username: "ann", password: "pass" };
const registries = { "ghcr.io": login, "r.example.org:5000": login, "docker.io": login };

describe("logins to registries", () => {
  it("go to a build that names the registry, in its Dockerfile or in an argument", () => {
    expect(Object.keys(registriesOf(registries, "FROM ghcr.io/a/b:1\n", {}))).toEqual([
      "ghcr.io",
      "docker.io",
    ]);
    const args = { BASE: "r.example.org:5000/a" };
    expect(Object.keys(registriesOf(registries, "ARG BASE\nFROM $BASE\n", args))).toContain(
      "r.example.org:5000",
    );
    expect(registriesOf({ "ghcr.io": login }, "FROM node:22\n", {})).toEqual({});
  });

  it("are what docker's client and docker's provider call them", () => {
    expect(JSON.parse(clientConfig(registries))).toEqual({
      auths: {
        "ghcr.io": { auth: "YW5uOnBhc3M=" },
        "r.example.org:5000": { auth: "YW5uOnBhc3M=" },
        "https://index.docker.io/v1/": { auth: "YW5uOnBhc3M=" },
      },
    });
    expect(providerLogins(registries).map(({ address }) => address)).toEqual([
      "registry-1.docker.io",
      "ghcr.io",
      "r.example.org:5000",
    ]);
  });

  it.each(["GHCR.io", "https://ghcr.io", "ghcr.io/team", "ghcr"])(
    "for %s are refused: no image begins so",
    (name) => {
      expect(() => read(change(LEAST, "registries", { [name]: login }))).toThrow(
        /must be a registry as in an image's name/,
      );
    },
  );
});
