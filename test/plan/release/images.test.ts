import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFacts } from "../../../plan/found/answer";
import type { Facts } from "../../../plan/found/facts";
import { chooseImage, explainImages, type ImageChoice, roomForBuild } from "../../../plan/release/images";
import { imageTag } from "../../../plan/release/stack";
import type { Build } from "../../../plan/wanted/build";
import { explain } from "../../../plan/words/explain";
import { change, LEAST, read, type Values } from "../support/config";
import { buildOf, EMPTY_HOST, factsAfter, makeProject, NAMES, type Planned, planned } from "../support/stack";

/** Where an image comes from, run after run, as the host and the memory on it change. */

let root = "";
beforeAll(() => {
  root = makeProject({ "web/Dockerfile": "FROM scratch" });
});
afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

const OVER_SSH: Values = {
  ...LEAST,
  host: { address: "ssh://root@example.org", hostKey: "ssh-ed25519 AAAA" },
  services: { web: { source: "web", memory: 64 } },
};
const MIB = 1024;
const memory = (total: number, used: number, ours = 0): NonNullable<Facts["memory"]> => ({
  total: total * MIB,
  used: used * MIB,
  ours: ours * MIB,
});
/** 1024 MiB, 128 of it in reserve: a build may take 596. */
const ROOM = memory(1024, 300);
/** A build may take 296. */
const TIGHT = memory(1024, 600);

function builtFrom(values: Values): Build {
  return buildOf(root, read(values));
}

function choice(values: Values, facts: Facts): ImageChoice {
  const build = builtFrom(values);
  return chooseImage(read(values), "web", imageTag(NAMES, "web", build), build, facts);
}

/** A host on which a release with this config serves; its image has the ID "sha256:1" unless another is told. */
function hostWith(done: Planned, id = "sha256:1", more: readonly string[] = []): Facts {
  const image = done.stack.services[0]?.image;
  const lines = factsAfter(done).slice(0, -1);
  return parseFacts(
    [
      ...lines,
      ...(id === "" ? [] : [`image ${image?.tag ?? ""} ${id}`]),
      `seen image:${image?.tag ?? ""} sha256:1 0`,
      ...more,
      "end",
    ].join("\n"),
  );
}

describe("a new image", () => {
  it.each<[what: string, values: Values, facts: Facts, place: string, why: string]>([
    [
      "where the host has room for what is assumed",
      OVER_SSH,
      { ...EMPTY_HOST, memory: ROOM },
      "host",
      "built on the host (512 MiB assumed, 596 to spare)",
    ],
    [
      "where it has not",
      OVER_SSH,
      { ...EMPTY_HOST, memory: TIGHT },
      "local",
      "built here and shipped: 216 MiB too little on the host (512 assumed, 296 to spare)",
    ],
    [
      "where it has room for what was measured",
      OVER_SSH,
      { ...EMPTY_HOST, memory: TIGHT, buildNeeds: new Map([["web", 250]]) },
      "host",
      "built on the host (250 MiB measured, 296 to spare)",
    ],
    [
      "when a build out of the cache has measured nothing",
      OVER_SSH,
      { ...EMPTY_HOST, memory: memory(1024, 800), buildNeeds: new Map([["web", 3]]) },
      "local",
      "built here and shipped: 32 MiB too little on the host (128 measured, 96 to spare)",
    ],
    [
      "when the config knows better than what was measured",
      change(OVER_SSH, "services.web.buildMemory", 597),
      { ...EMPTY_HOST, memory: ROOM, buildNeeds: new Map([["web", 250]]) },
      "local",
      "built here and shipped: 1 MiB too little on the host (597 configured, 596 to spare)",
    ],
    [
      "when exactly as much is there",
      change(OVER_SSH, "services.web.buildMemory", 596),
      { ...EMPTY_HOST, memory: ROOM },
      "host",
      "built on the host (596 MiB configured, 596 to spare)",
    ],
    [
      "as configured: on the host in spite of all",
      change(OVER_SSH, "build", "host"),
      { ...EMPTY_HOST, memory: memory(1024, 1000) },
      "host",
      "built on the host, as configured (512 MiB assumed, none to spare)",
    ],
    [
      "as configured: here in spite of all",
      change(OVER_SSH, "build", "local"),
      { ...EMPTY_HOST, memory: ROOM },
      "local",
      "built here and shipped, as configured",
    ],
    ["on a host that tells nothing of its memory", OVER_SSH, EMPTY_HOST, "host", "built on the host"],
    [
      "of this machine's engine: there is one place only",
      change(change(OVER_SSH, "host", { address: "local" }), "build", "local"),
      { ...EMPTY_HOST, memory: TIGHT },
      "host",
      "built on this machine's engine",
    ],
  ])("%s", (_, values, facts, place, why) => {
    expect(choice(values, facts)).toMatchObject({ place, why, builds: true, generation: 0 });
  });

  it("that a killed run has left, unknown to any release, is built", () => {
    const build = builtFrom(OVER_SSH);
    const images = new Map([[imageTag(NAMES, "web", build), "sha256:1"]]);
    expect(choice(OVER_SSH, { ...EMPTY_HOST, images })).toMatchObject({ place: "host", builds: true });
  });
});

describe("room for a build", () => {
  it("is what is free, less an eighth of the host", () => {
    expect(roomForBuild({ ...EMPTY_HOST, memory: memory(2048, 500) }, undefined)).toBe(2048 - 500 - 256);
    expect(roomForBuild(EMPTY_HOST, 512)).toBeUndefined();
  });

  it("is no more than the stack may count on, of which its own containers use a part", () => {
    expect(roomForBuild({ ...EMPTY_HOST, memory: memory(24000, 3000, 200) }, 1024)).toBe(1024 - 200 - 128);
    expect(roomForBuild({ ...EMPTY_HOST, memory: memory(1024, 900, 200) }, 4096)).toBe(124 - 128);
  });
});

describe("an image once released", () => {
  const serving = (values: Values, memory: Facts["memory"]): Planned =>
    planned(read(values), { ...EMPTY_HOST, memory }, root);

  it.each([
    ["host", ROOM, TIGHT],
    ["local", TIGHT, ROOM],
  ] as const)("stays as it was built (%s), whatever the memory is later", (place, before, later) => {
    const done = serving(OVER_SSH, before);
    expect(done.stack.services[0]?.image?.place).toBe(place);
    const facts = { ...hostWith(done), memory: later };
    const again = choice(OVER_SSH, facts);
    expect(again).toMatchObject({ place, builds: false, generation: 0, why: "" });
    expect(planned(read(OVER_SSH), facts, root).plan.epoch).toBe(done.plan.epoch);
    // Nor does another wish for the place of builds build what is there.
    expect(choice(change(OVER_SSH, "build", place === "host" ? "local" : "host"), facts).place).toBe(place);
  });

  it("is kept, without a build, when a later release goes back to it; and still is when that one serves", () => {
    const first = serving(OVER_SSH, ROOM);
    const other = change(OVER_SSH, "services.web.args", { NOTE: "1" });
    const tag = first.stack.services[0]?.image?.tag ?? "";
    const second = planned(read(other), hostWith(first), root);
    const seen = [`image ${tag} sha256:1`, `seen image:${tag} sha256:1 0`];
    const back = planned(read(OVER_SSH), hostWith(second, "sha256:1", seen), root);
    expect(back.stack.services[0]?.image).toMatchObject({ place: "kept", builds: false });
    expect(explainImages([back.stack.services[0]?.image as ImageChoice])).toEqual([
      "image of web: kept from an earlier release: no build",
    ]);
    const again = planned(read(OVER_SSH), hostWith(back), root);
    expect(again.stack.services[0]?.image).toMatchObject({ place: "kept", builds: false, why: "" });
    expect(again.plan).toMatchObject({ release: back.plan.release, epoch: back.plan.epoch });
  });

  it.each([
    ["sha256:2", "the image was changed by hand: built again; built on the host (512 MiB assumed, "],
    ["", "the image is gone from the host: built again; built on the host (512 MiB assumed, "],
  ])("that is not what was released (%s) is built again, and a release remembers that", (id, why) => {
    const done = serving(OVER_SSH, ROOM);
    const facts = { ...hostWith(done, id), memory: ROOM };
    const again = planned(read(OVER_SSH), facts, root);
    expect(again.stack.services[0]?.image).toMatchObject({ builds: true, generation: 1 });
    expect(again.stack.services[0]?.image?.why).toContain(why);
    expect(again.plan.release).toBe(done.plan.release);
    expect(again.plan.epoch).toBe(done.plan.epoch + 1);
    expect(again.plan.changes.every(({ kind }) => kind === "same")).toBe(true);

    const { plan, config, stack } = again;
    expect(plan.drift).toEqual([
      { service: "web", kind: "image", what: why.split(": ")[0], cure: "built again" },
    ]);
    const images = stack.services.flatMap(({ image }) => image ?? []);
    const told = explain(plan, config, facts, images).split("\n");
    expect(told.filter((line) => line.includes("built again"))).toEqual([
      expect.stringContaining(`image of web: ${why}`),
    ]);
    const other = planned(read(change(OVER_SSH, "services.web.args", { NEXT: "1" })), facts, root);
    expect(other.plan.drift, "of an image that is not wanted any more").toEqual([]);
  });

  it("that the first program remembered by its tag is known by that", () => {
    const done = serving(OVER_SSH, ROOM);
    const tag = done.stack.services[0]?.image?.tag ?? "";
    const facts = hostWith(done, "sha256:7", [`seen image:${tag} ${tag} 2`]);
    expect(choice(OVER_SSH, facts)).toMatchObject({ builds: false, generation: 2, place: "host" });
  });
});
