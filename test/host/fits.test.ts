import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { removeWorlds, World } from "./lib/world";

// What a data volume is looked at for before a database is exchanged. The probe runs on folders of this machine, and what it
// tells is given to the verb by a docker of the test's own.

afterAll(removeWorlds);

type Files = Readonly<Record<string, string>>;

async function probe(files: Files): Promise<string[]> {
  const world = World.create("dash");
  const folder = join(world.dir, "volume");
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  chmodSync(folder, 0o700);
  const { output } = await world.eval(`sh -c "$fit_probe" fits 999:999 ${folder}`);
  return output.trim().split("\n");
}

/** @param told what the probe tells; the database is to be PostgreSQL `version` */
async function fits(told: readonly string[], version = 16, folder = ".") {
  const world = World.create("dash");
  world.write("told", `${told.join("\n")}\n`);
  return world.eval(`
run=${world.dir}/tmp
load_object() { id=1; }
payload_value() { case $1 in data) echo "${version} shop-data" ;; *) echo "deploy.stack=shop/test" ;; esac; }
docker() { case $1 in inspect) echo "img 999:999 shop-data /data" ;; run) cat ${world.dir}/told ;; esac; }
do_fits database-1 ${folder}`);
}

const uid = String(process.getuid?.() ?? 0);

describe("a data volume", () => {
  it.each<[what: string, files: Files, told: string[]]>([
    ["empty", {}, ["999"]],
    ["new, of a file system of its own", { "lost+found/x": "" }, ["999"]],
    ["with data", { PG_VERSION: "16\n", "base/1/PG_VERSION": "16\n" }, ["999", `data . ${uid} 16`, "full"]],
    [
      "as version 18 lays it out",
      { "18/docker/PG_VERSION": "18\n" },
      ["999", `data ./18/docker ${uid} 18`, "full"],
    ],
    ["with something else", { "note.txt": "hello" }, ["999", "full"]],
  ])("%s is seen as it is", async (_, files, told) => {
    expect(await probe(files)).toEqual(told);
  });

  it.each<[what: string, told: string[], version: number, folder: string]>([
    ["that is empty", ["999"], 16, "."],
    ["of the same version and user", ["999", "data . 999 16", "full"], 16, "."],
    ["of version 18, in its folder", ["999", "data ./18/docker 999 18", "full"], 18, "./18/docker"],
  ])("%s fits", async (_, told, version, folder) => {
    expect(await fits(told, version, folder)).toEqual({ code: 0, output: "" });
  });

  it.each<[what: string, told: string[], version: number, folder: string, said: RegExp]>([
    [
      "of alpine's user",
      ["999", "data . 70 16", "full"],
      16,
      ".",
      /belongs to user 70, .* is user 999\nan alpine image has written it: set database\.image to postgres:16-alpine/,
    ],
    [
      "of Debian's user",
      ["70", "data . 999 16", "full"],
      16,
      ".",
      /a Debian image has written it: set database\.image to postgres:16-bookworm/,
    ],
    ["of somebody else", ["999", "data . 1000 16", "full"], 16, ".", /chown img -R 999:999 \/v$/m],
    [
      "of another version",
      ["999", "data . 999 13", "full"],
      16,
      ".",
      /data of PostgreSQL 13, which 16 cannot read: set database\.version to 13/,
    ],
    [
      "in another folder",
      ["999", "data ./pgdata 999 16", "full"],
      16,
      ".",
      /lies in \.\/pgdata, and this image looks for it in \.: it would begin an empty one/,
    ],
    [
      "of version 18 at the root",
      ["999", "data . 999 18", "full"],
      18,
      "./18/docker",
      /lies in \., and this image looks for it in \.\/18\/docker/,
    ],
    [
      "in two folders",
      ["999", "data . 999 16", "data ./old 999 15", "full"],
      16,
      ".",
      /several data folders/,
    ],
    ["of something else", ["999", "full"], 16, ".", /holds something, and no data of PostgreSQL/],
  ])("%s is told with its cure", async (_, told, version, folder, said) => {
    const { code, output } = await fits(told, version, folder);
    expect([code, output]).toEqual([1, expect.stringMatching(said)]);
  });
});
