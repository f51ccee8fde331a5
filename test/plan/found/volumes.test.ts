import { describe, expect, it } from "vitest";
import type { Facts } from "../../../plan/found/facts";
import { adoptedVolumes, volumeProblems } from "../../../plan/found/volumes";
import { change, LEAST, read, type Values } from "../support/config";
import { EMPTY_HOST, hostAfter, NAMES, planned } from "../support/stack";

// NAMES is the project shop, the stack test.
const STACK: Values = {
  ...LEAST,
  database: { version: 17, memory: 128 },
  services: { worker: { image: "worker:1", memory: 64, volumes: [{ name: "b-files", path: "/files" }] } },
};
const volume = (name: string, stack?: string): Facts => ({
  ...EMPTY_HOST,
  volumes: [{ name, stack, made: 0 }],
});
const problems = (facts: Facts, config: Values = STACK) => volumeProblems(read(config), NAMES, facts);
const notes = (facts: Facts, config: Values = STACK) => adoptedVolumes(read(config), NAMES, facts);
const used = (name: string, state: string, stack?: string): Facts => ({
  ...volume(name, stack),
  mounts: [{ state, stack, sources: ["/etc", name] }],
});

describe("a volume that is wanted", () => {
  it("is not there, or is this stack's: no problem", () => {
    expect(problems(EMPTY_HOST)).toEqual([]);
    expect(problems(volume("shop-test-database", "shop/test"))).toEqual([]);
    expect(problems(used("shop-test-database", "running", "shop/test"))).toEqual([]);
  });

  it("is another stack's, whose name and this one's make the same name", () => {
    expect(problems(volume("shop-test-b-files", "shop/test-b"))).toEqual([
      "services.worker.volumes[0].name: the volume shop-test-b-files on the host belongs to the stack shop/test-b: " +
        "use another name",
    ]);
    expect(problems(volume("shop-test-database", "shop-test/x"))).toEqual([
      "database.volume: the volume shop-test-database on the host belongs to the stack shop-test/x: use another name",
    ]);
    expect(problems(volume("shop-test-proxy", "shop-test/x"))).toEqual([
      "proxy: the volume shop-test-proxy on the host belongs to the stack shop-test/x: give this stack another name",
    ]);
  });

  const adopting = change(STACK, "database.volume", "blog-prod-database");
  it("is another stack's and named on purpose: only when nothing of that stack has it any more", () => {
    expect(problems(volume("blog-prod-database", "blog/prod"), adopting)).toEqual([]);
    for (const state of ["running", "exited"]) {
      expect(problems(used("blog-prod-database", state, "blog/prod"), adopting)).toEqual([
        "database.volume: the volume blog-prod-database on the host is used by the stack blog/prod " +
          "(docker ps -a --filter volume=blog-prod-database): two that write to it would destroy the data. " +
          "Stop and remove that one first, or use another name",
      ]);
    }
  });

  it("is of no stack: refused while a container that is not ours runs on it", () => {
    const config = change(STACK, "database.volume", "compose_db");
    expect(problems(volume("compose_db"), config)).toEqual([]);
    expect(problems(used("compose_db", "exited"), config)).toEqual([]);
    expect(problems(used("compose_db", "running"), config)).toEqual([
      expect.stringContaining(
        "is used by a container that is not ours (docker ps -a --filter volume=compose_db)",
      ),
    ]);
  });

  it.each([
    ["shop-test-b-files", "services.worker.volumes[0]"],
    ["shop-test-proxy", "proxy"],
  ])("is used for the database and for something else of this stack: %s", (name, other) => {
    expect(problems(EMPTY_HOST, change(STACK, "database.volume", name))).toEqual([
      `database.volume: ${name} is the volume of ${other} already: name another`,
    ]);
  });
});

describe("a volume that is adopted", () => {
  it("is told, with whose it was", () => {
    expect(notes(EMPTY_HOST)).toEqual([]);
    expect(notes(volume("unrelated"))).toEqual([]);
    expect(notes(volume("shop-test-b-files"))).toEqual([
      "adopts the existing volume shop-test-b-files with its data",
    ]);
    expect(notes(volume("shop-test-database", "shop/test"))).toEqual([
      "adopts the existing volume shop-test-database of this stack with its data",
    ]);
    expect(
      notes(
        volume("blog-prod-database", "blog/prod"),
        change(STACK, "database.volume", "blog-prod-database"),
      ),
    ).toEqual(["adopts the existing volume blog-prod-database of blog/prod with its data"]);
  });

  it("is told once: not when a release that serves uses it", () => {
    const serving = hostAfter(planned(read(STACK)));
    const there = { ...serving, volumes: [{ name: "shop-test-b-files", stack: undefined, made: 0 }] };
    expect(notes(there)).toEqual([]);
    const more = change(STACK, "database.volume", "compose_db");
    expect(notes({ ...serving, volumes: [{ name: "compose_db", stack: undefined, made: 0 }] }, more)).toEqual(
      ["adopts the existing volume compose_db with its data"],
    );
  });
});
