import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readRepositories } from "../../deployer/git";
import { testsFor } from "../../deployer/tests";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const IDENTITY = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
const git = (folder: string, ...args: string[]) =>
  execFileSync("git", ["-C", folder, ...IDENTITY, ...args], { encoding: "utf8", stdio: "pipe" }).trim();

/** A folder with a project, and a service beside it. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "deployer-"));
  folders.push(folder);
  for (const part of ["project/web", "api"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "project/web/index.html"), "1");
  writeFileSync(join(folder, "api/main.js"), "1");
  return folder;
}

function commit(folder: string): void {
  if (!existsSync(join(folder, ".git"))) git(folder, "init", "-q", "-b", "main");
  git(folder, "add", "-A");
  git(folder, "commit", "-q", "-m", "x");
}

describe("the repositories that something deployed comes from", () => {
  it("are one for the project and what lies in it, and one for each other", () => {
    const folder = makeFolder();
    const project = join(folder, "project");
    commit(project);
    commit(join(folder, "api"));
    writeFileSync(join(folder, "api/new.js"), "2");
    expect(readRepositories(project, ["web", "../api"])).toEqual([
      { path: ".", commit: git(project, "rev-parse", "HEAD"), changed: 0, pushed: false },
      { path: "../api", commit: git(join(folder, "api"), "rev-parse", "HEAD"), changed: 1, pushed: false },
    ]);
  });

  it("are pushed when a remote has the commit", () => {
    const folder = makeFolder();
    const project = join(folder, "project");
    git(folder, "init", "-q", "--bare", "remote.git");
    commit(project);
    git(project, "remote", "add", "origin", join(folder, "remote.git"));
    git(project, "push", "-q", "origin", "main");
    expect(readRepositories(project, [])).toMatchObject([{ pushed: true, changed: 0 }]);
    writeFileSync(join(project, "web/index.html"), "2");
    expect(readRepositories(project, [])).toMatchObject([{ pushed: true, changed: 1 }]);
    commit(project);
    expect(readRepositories(project, [])).toMatchObject([{ pushed: false, changed: 0 }]);
  });

  it("may be none, or without a commit yet", () => {
    const folder = makeFolder();
    const project = join(folder, "project");
    expect(readRepositories(project, [])).toEqual([
      { path: ".", commit: undefined, changed: 0, pushed: false },
    ]);
    git(project, "init", "-q");
    expect(readRepositories(project, [])).toMatchObject([{ commit: undefined, changed: 1, pushed: false }]);
  });
});

describe("a status of git", () => {
  it("may be long", () => {
    const project = join(makeFolder(), "project");
    commit(project);
    const blob = git(project, "rev-parse", "HEAD:web/index.html");
    const deep = Array.from({ length: 12 }, () => "d".repeat(250)).join("/");
    const index = Array.from({ length: 400 }, (_, i) => `100644 ${blob}\t${deep}/${i}\n`).join("");
    execFileSync("git", ["-C", project, "update-index", "--index-info"], { input: index });
    git(project, "commit", "-q", "-m", "files that are not there");
    expect(readRepositories(project, [])).toMatchObject([{ changed: 400 }]);
  });

  it("that fails does not mean that all is committed, nor are green tests remembered", () => {
    const project = join(makeFolder(), "project");
    commit(project);
    writeFileSync(join(project, ".git/index"), "broken");
    const repositories = readRepositories(project, []);
    expect(repositories).toMatchObject([{ commit: git(project, "rev-parse", "HEAD"), changed: undefined }]);
    expect(testsFor(project, "true", 1, repositories, true)).toBe("green");
    expect(testsFor(project, "true", 1, repositories, false)).toBe("unknown");
  });
});

describe("the tests", () => {
  const run = (project: string, command: string, really = true) =>
    testsFor(project, command, 1, readRepositories(project, []), really);

  it("run once for a clean commit, and are remembered when green", () => {
    const project = join(makeFolder(), "project");
    commit(project);
    // Outside of the tree: it must stay clean.
    const count = `echo x >>${join(project, ".git/count")}`;
    expect(run(project, count, false)).toBe("unknown");
    expect(run(project, count)).toBe("green");
    expect(run(project, count, false)).toBe("green");
    expect(run(project, count)).toBe("green");
    expect(execFileSync("wc", ["-l", join(project, ".git/count")], { encoding: "utf8" })).toMatch(/^1 /);
    expect(run(project, `${count} # another`, false)).toBe("unknown");
    writeFileSync(join(project, "web/index.html"), "2");
    commit(project);
    expect(run(project, count, false)).toBe("unknown");
  });

  it("are run again with uncommitted changes, and when they failed", () => {
    const project = join(makeFolder(), "project");
    commit(project);
    expect(run(project, "exit 3")).toBe("red");
    expect(run(project, "exit 3", false)).toBe("unknown");
    writeFileSync(join(project, "web/index.html"), "2");
    expect(run(project, "true")).toBe("green");
    expect(run(project, "true", false)).toBe("unknown");
  });

  it("may not take longer than they may", () => {
    const project = join(makeFolder(), "project");
    expect(testsFor(project, "sleep 20", 0.005, readRepositories(project, []), true)).toBe("red");
  });
});
