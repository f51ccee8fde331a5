import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Stack } from "./support/stack";

describe("command.local.Command", () => {
  let stack: Stack;
  let log: string;
  const logged = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");

  beforeAll(async () => {
    stack = await Stack.create("command");
    log = join(stack.folder, "log");
  });
  afterAll(async () => {
    await stack.destroy();
    stack.remove();
  });

  test("gets stdin, environment, directory and interpreter, and keeps its output less one last newline", async () => {
    const run = await stack.up(() => {
      const arrived = new local.Command("arrived", {
        create: 'cat; printf "%s\\n" "$GREETING" "$PWD"; printf "two\\n\\n" >&2',
        stdin: "from stdin\n",
        environment: { GREETING: "héllo $HOME" },
        dir: "/tmp",
      });
      const interpreted = new local.Command("interpreted", {
        interpreter: ["node", "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "one word", "--"],
        create: "the command",
      });
      return { stdout: arrived.stdout, stderr: arrived.stderr, interpreted: interpreted.stdout };
    });
    expect(run.error).toBeUndefined();
    expect(stack.output("stdout")).toBe("from stdin\nhéllo $HOME\n/tmp");
    expect(stack.output("stderr")).toBe("two\n");
    expect(stack.output("interpreted")).toBe('["one word","--","the command"]');
  });

  const releaseLike = (create: string, stdin: string, trigger: string): local.Command =>
    new local.Command(
      "release",
      {
        create: `${create}; cat >> ${log}`,
        delete: `printf 'deleted '; cat | tee -a ${log}; printf 'deleted\\n' >> ${log}`,
        stdin,
        triggers: [trigger],
        addPreviousOutputInEnv: false,
      },
      { ignoreChanges: ["create", "stdin", "delete"] },
    );

  test("runs once, and again for nothing that ignoreChanges names", async () => {
    await stack.up(() => releaseLike("true", "first\n", "1"));
    expect(logged()).toBe("first\n");
    const run = await stack.up(() => releaseLike("echo other", "second\n", "1"));
    expect(run.unchanged).toBe(true);
    expect(logged()).toBe("first\n");
  });

  test("runs with the new inputs when a trigger changes, ignored ones too, before the old one's delete", async () => {
    const run = await stack.up(() => releaseLike("true", "third\n", "2"));
    expect(run.steps).toEqual(["create-replacement release", "replace release", "delete-replaced release"]);
    expect(logged()).toBe("first\nthird\nfirst\ndeleted\n");
  });

  test("runs its delete with the inputs that it was made with", async () => {
    writeFileSync(log, "");
    const run = await stack.up(() => undefined);
    expect(run.steps).toContain("delete release");
    expect(logged()).toBe("third\ndeleted\n");
  });

  test("shows what it prints while it runs, and nothing where logging is none", async () => {
    const run = await stack.up(() => [
      new local.Command("talks", { create: "echo step one; sleep 0.3; echo step two >&2" }),
      new local.Command("silent", { create: "echo unseen", logging: "none" }),
    ]);
    expect(run.progressOf("talks")).toEqual(expect.arrayContaining(["step one", "step two"]));
    expect(run.progressOf("silent").join("\n")).not.toContain("unseen");
    expect(run.diagnostics).not.toContain("step one");
  });

  const fallible = (input: pulumi.Input<string>): pulumi.Output<string> => {
    const first = new local.Command("fallible", {
      create: `test -e ${join(stack.folder, "cured")} || { echo looked; echo not there >&2; exit 7; }; echo well`,
      stdin: input,
    });
    const second = new local.Command("dependent", { create: `echo ran >> ${log}` }, { dependsOn: first });
    return second.stdout;
  };

  test("that fails says how, with its command and output but not its stdin, and stops what depends on it", async () => {
    writeFileSync(log, "");
    const run = await stack.up(() => fallible(pulumi.secret("hunter2")));
    expect(run.error).toBeDefined();
    expect(run.diagnostics).toContain('exit status 7: running "test -e');
    // Two streams, in whichever order they arrive.
    expect(run.diagnostics).toMatch(/^looked$/m);
    expect(run.diagnostics).toMatch(/^not there$/m);
    expect(`${run.diagnostics}${run.error ?? ""}`).not.toContain("hunter2");
    expect(logged()).toBe("");
  });

  test("that failed leaves no state, and runs again", async () => {
    expect(stack.stored("fallible")).toBeUndefined();
    writeFileSync(join(stack.folder, "cured"), "");
    const run = await stack.up(() => ({ out: fallible(pulumi.secret("hunter2")) }));
    expect(run.steps).toContain("create fallible");
    expect(logged()).toBe("ran\n");
  });

  test("keeps a secret stdin encrypted in the state", () => {
    expect(stack.storedText()).not.toContain("hunter2");
    const stored = stack.stored("fallible");
    expect(JSON.stringify(stored?.inputs["stdin"])).toContain("ciphertext");
    expect(JSON.stringify(stored?.outputs["stdin"])).toContain("ciphertext");
  });
});
