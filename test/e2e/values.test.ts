import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSuccess } from "./lib/expect";
import { localHost } from "./lib/host";
import { freePort } from "./lib/port";
import { Pulumi } from "./lib/pulumi";
import { Workspace } from "./lib/workspace";

const ODD: readonly string[] = [
  "",
  " ",
  "  two  spaces at each end  ",
  "\ttab\t",
  "line\nbreak\n",
  "\n\n",
  "carriage\r\nreturn\r",
  `it's "fine" and \`so\``,
  "costs $5, $HOME, ${X}, $(id), $$, ${{a}}",
  "100 % %s %d %41",
  "C:\\new\\table \\\\ \\",
  "a=b=c=",
  "=",
  "# no comment",
  "- not: a list",
  "{a: [1, 2]}",
  "null",
  "true",
  "007",
  "1.50",
  "!tag &anchor *alias @at",
  "Всё работает — ёлки «да»",
  "𝄞 👩‍💻 é",
  "\u0001\u001b[31m\u007f\u0085\u2028\u2029\ufeff",
  "<title>CRM</title>",
  "*?[a-z]~|;&><",
];
/** All of a stack's config must fit into one variable of 128 KiB: that is how Pulumi hands it to the program. */
const LONG = "long ".repeat(16 * 1024);
/** Any characters that YAML, JSON, Go and Linux have in common: all of UTF-8 but NUL. */
const anything = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\0"));
const VALUES = [...ODD, ...fc.sample(anything, { seed: 2010, numRuns: 40 })].filter(
  // What waits for its owner is refused, in words of its own. Of a text of line breaks alone Pulumi's CLI loses one
  // when it reads the config (seen with 3.250), before any program.
  // Decomposed letters are refused too (test/plan/config/config.test.ts); build arguments may have them.
  (text) => !/^<the [^<>]+>$/.test(text) && !/^\n+$/.test(text) && text === text.normalize("NFC"),
);
/** An empty one is refused with its path (plan/config/schema.ts). */
const ARGUMENTS = VALUES.filter((value) => value !== "");
const byName = (prefix: string) => Object.fromEntries(VALUES.map((value, i) => [`${prefix}_${i}`, value]));
const PAGE = `it's "fine": $HOME \`id\` \\ ёлка 𝄞 <b>&amp;</b> %41 `;

/** Values that go from a stack's file into containers, by way of YAML, Pulumi, its plugins, the engine and its kernel. */
describe("values in containers on this machine's engine", () => {
  let workspace: Workspace;
  let pulumi: Pulumi;
  let stack = "";
  let id: Record<string, string> = {};

  beforeAll(async () => {
    workspace = await Workspace.create(
      `values-${process.pid}`,
      "examples/static-site",
      "examples/static-site/stack.yaml",
    );
    stack = `artsvao/${workspace.stack}`;
    pulumi = new Pulumi(workspace, {});
    await pulumi.init();
    const source = join(workspace.folder, "odd");
    await mkdir(source);
    const names = Object.keys(byName("ARG"));
    await writeFile(
      join(source, "Dockerfile"),
      [
        "FROM node:22-bookworm-slim",
        ...names.map((name) => `ARG ${name}`),
        // Nothing but the shell reads them: what stands in the files is what the build was given.
        `RUN mkdir /args && for name in ${names.join(" ")}; do eval "printf %s \\"\\$$name\\"" >"/args/$name"; done`,
        "COPY server.js /",
      ].join("\n"),
    );
    await writeFile(
      join(source, "server.js"),
      "require('node:http').createServer((q, a) => a.end(process.env.PAGE)).listen(process.env.PORT);",
    );
    await workspace.set("http.port", await freePort());
    await workspace.set("identityKey", "0123456789abcdef0123456789abcdef");
    await workspace.set("smoke", [{ path: "/", contains: PAGE }]);
    await workspace.set("services", {
      web: {
        source: "odd",
        args: byName("ARG"),
        command: ["node", "/server.js", ...ARGUMENTS],
        port: 3000,
        route: "/",
        health: "/",
        memory: 96,
        env: {
          ...byName("ENV"),
          LONG,
          PAGE,
          NUMBER: 42,
          NEGATIVE: -0.5,
          LARGE: 9007199254740991,
          YES: true,
          NO: false,
        },
        secrets: byName("SECRET"),
      },
      worker: {
        image: "node:22-bookworm-slim",
        command: ["sh", "-c", "sleep infinity & wait"],
        healthCommand: `[ "$QUOTED" = 'it'"'"'s "fine" \`id\` \\ ёлка 𝄞' ] && printf '%s' "$QUOTED  $((1+1))" >/tmp/asked`,
        memory: 32,
        env: { QUOTED: 'it\'s "fine" `id` \\ ёлка 𝄞' },
      },
    });
    expectSuccess(await pulumi.up());
    const running = await localHost.running(stack);
    id = Object.fromEntries(Object.values(running).map(({ service, id: one }) => [service, one]));
  });

  it("of the environment, plain and secret, arrive byte for byte; numbers and truth as they are written", async () => {
    const environment = await raw(`docker exec ${id.web ?? ""} cat /proc/1/environ`);
    const found = Object.fromEntries(
      environment.split("\0").map((line) => [line.replace(/=.*$/s, ""), line.replace(/^[^=]*=/, "")]),
    );
    const wanted = { NUMBER: "42", NEGATIVE: "-0.5", LARGE: "9007199254740991", YES: "true", NO: "false" };
    expect(found).toMatchObject({ ...byName("ENV"), ...byName("SECRET"), LONG, PAGE, ...wanted });
  });

  it("of a command arrive as its arguments, one for one", async () => {
    const command = (await raw(`docker exec ${id.web ?? ""} cat /proc/1/cmdline`)).split("\0").slice(0, -1);
    expect(command.slice(command.indexOf("/server.js") + 1)).toEqual(ARGUMENTS);
  });

  it("of a build's arguments are what its commands see", async () => {
    // Each with an end of its own: what a value ends with must not be lost.
    const all = await raw(
      `docker exec ${id.web ?? ""} sh -c 'for i in $(seq 0 ${VALUES.length - 1}); do cat /args/ARG_$i; printf "\\000"; done'`,
    );
    expect(all.split("\0").slice(0, -1)).toEqual(VALUES);
  });

  it("of a health command are read by the container's own shell only; a smoke test finds its text", async () => {
    expect(await raw(`docker exec ${id.worker ?? ""} cat /tmp/asked`)).toBe('it\'s "fine" `id` \\ ёлка 𝄞  2');
    // The release of beforeAll would have failed; this shows that it could have.
    await workspace.set("smoke", [{ path: "/", contains: `${PAGE}?` }]);
    const { code, text } = await pulumi.up();
    expect(code).toBeGreaterThan(0);
    expect(text).toContain(`but its text does not contain: ${PAGE}?`);
  });

  it("in one line after another change nothing: the second up has nothing to do", async () => {
    await workspace.set("smoke", [{ path: "/", contains: PAGE }]);
    const again = await pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
  });

  afterAll(async () => {
    expectSuccess(await pulumi.destroy());
    for (const volume of await localHost.volumes(stack)) await localHost.sh(`docker volume rm ${volume}`);
    await localHost.sh(`rm -rf /var/lib/${stack}`);
    await workspace.remove();
  });
});

/** What a command says, to the last byte. */
async function raw(command: string): Promise<string> {
  // A mark at the end, because the last line break is taken off.
  return (await localHost.sh(`printf '<'; ${command}; printf '>'`)).slice(1, -1);
}
