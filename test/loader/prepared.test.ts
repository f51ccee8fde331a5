import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const checkout = join(__dirname, "..", "..");

describe("the program, prepared in one file", () => {
  let folder: string;
  let made: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "prepared-"));
    made = join(folder, ".build", "program");
    await cp(join(checkout, "loader"), join(folder, "loader"), { recursive: true });
    await symlink(join(checkout, "node_modules"), join(folder, "node_modules"));
    await mkdir(join(folder, "plan", "deep"), { recursive: true });
    await writeFile(join(folder, "tsconfig.json"), "{}");
    await writeFile(
      join(folder, "index.ts"),
      'import { say } from "./plan/deep/say";\nexport = () => say("one");\n',
    );
    await writeFile(
      join(folder, "plan", "deep", "say.ts"),
      'import { parse } from "yaml";\nexport const say = (word: string): string => `${word} ${parse("[1]")} ${__dirname}`;\n',
    );
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** In a process of its own, as `pulumi up` does it. */
  async function run(setup = ""): Promise<string> {
    const script = `${setup}; require(${JSON.stringify(join(folder, "loader", "prepared.cjs"))})
      .prepared("index.ts").then((program) => console.log(program()))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { cwd: tmpdir() });
    return stdout.trim();
  }

  const says = (word: string) => `${word} 1 ${join(folder, "plan", "deep")}`;

  it("runs, finds its packages, and each file knows its own folder", async () => {
    expect(await run()).toBe(says("one"));
  });

  it("is made once, and again for any change, however small and whatever its time", async () => {
    await run();
    const [first] = await readdir(made);
    expect(await run()).toBe(says("one"));
    expect(await readdir(made)).toEqual([first]);

    await writeFile(
      join(folder, "index.ts"),
      (await readFile(join(folder, "index.ts"), "utf8")).replace("one", "two"),
    );
    expect(await run()).toBe(says("two"));
    expect(await readdir(made)).toHaveLength(2);
  });

  it("is made again when another version of a package is installed", async () => {
    await run();
    await rm(join(folder, "node_modules"));
    await mkdir(join(folder, "node_modules", "yaml"), { recursive: true });
    for (const name of ["esbuild", "@esbuild"])
      await symlink(join(checkout, "node_modules", name), join(folder, "node_modules", name));
    await writeFile(join(folder, "node_modules", "yaml", "index.js"), "exports.parse = () => 2;\n");
    await writeFile(join(folder, "node_modules", ".package-lock.json"), '{"yaml": "of another version"}');
    expect(await run()).toBe(says("one").replace("one 1", "one 2"));
  });

  it("is what the sources say, also if a file of its name was cut off", async () => {
    await run();
    const [first = ""] = await readdir(made);
    await writeFile(join(made, first), "");
    expect(await run()).toBe(says("one"));
  });

  it("runs where nothing can be kept", async () => {
    await writeFile(join(folder, ".build"), "a file, where a folder should be");
    expect(await run()).toBe(says("one"));
  });

  it("is whole for whoever begins at the same moment", async () => {
    expect(await Promise.all([run(), run(), run(), run()])).toEqual(Array(4).fill(says("one")));
  });

  it("keeps the last few only", async () => {
    for (let n = 0; n < 12; n++) {
      await writeFile(join(folder, "index.ts"), `export = () => "${n}";\n`);
      expect(await run()).toBe(String(n));
    }
    expect((await readdir(made)).length).toBeLessThanOrEqual(9);
  });

  it("tells the place of a mistake in the sources", async () => {
    await writeFile(join(folder, "plan", "deep", "say.ts"), "export const say = (: string) => 1;\n");
    await expect(run()).rejects.toThrow(/plan[/\\]deep[/\\]say\.ts:1:\d+/);
  });
});
