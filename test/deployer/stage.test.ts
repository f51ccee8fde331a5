import * as fs from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stageContext } from "../../deployer/stage";
import { type Build, STAGED } from "../../plan/wanted/build";
import { readContext } from "../../plan/wanted/context/context";
import { ContextError } from "../../plan/wanted/context/problem";
import { change, LEAST, read } from "../plan/support/config";
import { buildOf, makeProject } from "../plan/support/stack";
import { below } from "../support/walk";

let root = "";
beforeEach(() => {
  root = makeProject({
    "web/Dockerfile": "FROM scratch",
    "web/server.js": "1",
    "web/run.sh": "#!/bin/sh",
    "web/lib/log.js": "1",
    "web/notes.md": "1",
    "web/.dockerignore": "*.md\n.dockerignore\n",
  });
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

function build(values: Readonly<Record<string, unknown>> = {}): Build {
  return buildOf(root, read(change(LEAST, "services.web", { source: "web", memory: 64, ...values })));
}

const stage = (one: Build, links: "inside" | "any" = "inside") =>
  stageContext(root, `test/web-${one.hash}`, one, links);

/** Everything below a folder of the project, with its permissions. */
function tree(folder: string): Record<string, string> {
  const names = below(join(root, folder)).map((one) => relative(join(root, folder), one.path));
  return Object.fromEntries(
    names.sort().map((name) => {
      const stats = fs.lstatSync(join(root, folder, name));
      return [name, stats.isSymbolicLink() ? "link" : (stats.mode & 0o7777).toString(8)];
    }),
  );
}

describe("a staged build context", () => {
  it("is what is sent, with permissions and a path that do not depend on the checkout", () => {
    fs.chmodSync(join(root, "web/run.sh"), 0o700);
    fs.chmodSync(join(root, "web/server.js"), 0o664);
    fs.chmodSync(join(root, "web/lib"), 0o2775);
    const staged = stage(build());
    expect(staged).toEqual({
      context: `${STAGED}/test/web-${build().hash}/context`,
      dockerfile: `${STAGED}/test/web-${build().hash}/context/Dockerfile`,
    });
    expect(tree(staged.context)).toEqual({
      ".dockerignore": "644",
      Dockerfile: "644",
      lib: "755",
      "lib/log.js": "644",
      "run.sh": "755",
      "server.js": "644",
    });
    expect(fs.readFileSync(join(root, staged.context, "run.sh"), "utf8")).toBe("#!/bin/sh");

    fs.renameSync(join(root, "web"), join(root, "moved"));
    expect(stage(build({ source: "moved" }))).toEqual(staged);
  });

  it("has the Dockerfile and the ignore file where the builder looks for them", () => {
    fs.writeFileSync(join(root, "Dockerfile.web"), "FROM scratch\n# beside");
    fs.writeFileSync(join(root, "Dockerfile.web.dockerignore"), "lib\n");
    const beside = stage(build({ dockerfile: "../Dockerfile.web" }));
    expect(fs.readFileSync(join(root, beside.dockerfile), "utf8")).toContain("beside");
    expect(fs.readFileSync(join(root, `${beside.dockerfile}.dockerignore`), "utf8")).toBe("lib\n");
    expect(Object.keys(tree(beside.context))).toEqual([
      ".dockerignore",
      "Dockerfile",
      "notes.md",
      "run.sh",
      "server.js",
    ]);

    fs.writeFileSync(join(root, "web/.dockerignore"), "Dockerfile\n");
    const ignored = stage(build());
    expect(fs.readFileSync(join(root, ignored.dockerfile), "utf8")).toBe("FROM scratch");
  });

  it("leaves alone what lies behind a link on the way to the Dockerfile", () => {
    fs.mkdirSync(join(root, "docker"));
    fs.writeFileSync(join(root, "docker/real"), "FROM scratch\n# behind");
    fs.symlinkSync("real", join(root, "docker/Dockerfile"));
    // An absolute one is the same place also when it is seen from the copy.
    fs.symlinkSync(join(root, "docker"), join(root, "web/docker"));
    const staged = stage(build({ dockerfile: "docker/Dockerfile" }), "any");
    expect(fs.readFileSync(join(root, staged.dockerfile), "utf8")).toContain("behind");
    expect(fs.readlinkSync(join(root, "docker/Dockerfile"))).toBe("real");
  });

  it("takes names that are no text, and links that stay in it", () => {
    const name = Buffer.from([...Buffer.from("a\\"), 0xff, ...Buffer.from("é\\x41")]);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/web/`), name]), "odd");
    fs.symlinkSync("lib/log.js", join(root, "web/log.js"));
    const staged = stage(build());
    const found = fs.readdirSync(join(root, staged.context), { encoding: "buffer" });
    expect(found.some((one) => one.equals(name))).toBe(true);
    expect(fs.readlinkSync(join(root, staged.context, "log.js"))).toBe("lib/log.js");
    const entries = (context: string) =>
      readContext(join(root, context), join(root, context, "Dockerfile")).entries;
    expect(entries(staged.context)).toEqual(entries("web"));
  });

  it.each([
    ["/var/lib/files", "an absolute one"],
    ["../secret", "one that leads out"],
    ["../gone", "one that leads out to nothing"],
  ])("refuses a link to %s for docker's provider, %s", (target) => {
    fs.writeFileSync(join(root, "secret"), "s");
    fs.symlinkSync(target, join(root, "web/link"));
    expect(() => stage(build())).toThrow(
      new ContextError(
        "web/link",
        `is a link to ${target}, which is not in this build context: docker's provider cannot take it`,
        "list it in .dockerignore, and make it in the Dockerfile if the image needs it (RUN ln -s)",
      ),
    );
    expect(tree(STAGED)).toEqual({ test: "755" });
    expect(fs.readlinkSync(join(root, stage(build(), "any").context, "link"))).toBe(target);
  });

  it("takes a link to what is not there, as long as that would be in it", () => {
    fs.symlinkSync("../made-by-the-build", join(root, "web/lib/link"));
    const staged = stage(build());
    expect(fs.readlinkSync(join(root, staged.context, "lib/link"))).toBe("../made-by-the-build");
  });

  it("is never of another content than its hash says", () => {
    const before = build();
    fs.writeFileSync(join(root, "web/server.js"), "2");
    expect(() => stage(before)).toThrow("web: was changed while it was read; run it again");
    fs.rmSync(join(root, "web/lib"), { recursive: true });
    expect(() => stage(before)).toThrow("web: was changed while it was read; run it again");
    expect(tree(STAGED)).toEqual({ test: "755" });
  });

  it("is made once, and kept for a day after its last use", () => {
    const old = stage(build());
    const days = (count: number) => new Date(Date.now() - count * 24 * 60 * 60 * 1000);
    fs.utimesSync(join(root, old.context, ".."), days(2), days(2));
    expect(stage(build())).toEqual(old);
    fs.writeFileSync(join(root, "web/server.js"), "2");
    stage(build());
    expect(fs.existsSync(join(root, old.context)), "used just now").toBe(true);
    fs.utimesSync(join(root, old.context, ".."), days(2), days(2));
    fs.writeFileSync(join(root, "web/server.js"), "3");
    const newest = stage(build());
    expect(fs.existsSync(join(root, old.context))).toBe(false);
    expect(fs.existsSync(join(root, newest.context))).toBe(true);
  });

  it("is no part of any context itself", () => {
    fs.writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /");
    const whole = build({ source: "." });
    stage(whole);
    expect(build({ source: "." }).hash).toBe(whole.hash);
    expect(() => stage(build({ source: "." }))).not.toThrow();
  });
});
