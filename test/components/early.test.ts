import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askEarly, askFacts } from "../../host/askFacts";
import { type Connection, connectionTo } from "../../host/connection";
import { begin } from "../../host/early";
import { readValues } from "../../plan/config/read";
import { factLines } from "../../plan/release/wire";
import { change, completedProd, type Values } from "../plan/support/config";

const ANSWER = "engine linux/amd64 26.1.5\nmachine abc\nend";
let folder: string;
let path: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "early-"));
  writeFileSync(join(folder, "asked"), "");
  writeFileSync(
    join(folder, "ssh"),
    `#!/bin/sh\necho asked >>'${folder}/asked'\ncat >/dev/null\nprintf '%s\\n' '${ANSWER}'\n`,
  );
  chmodSync(join(folder, "ssh"), 0o755);
  path = process.env.PATH;
  process.env.PATH = `${folder}${delimiter}${path ?? ""}`;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

const timesAsked = (): number => readFileSync(join(folder, "asked"), "utf8").split("\n").length - 1;

describe("an early answer", () => {
  const connection: Connection = { dockerHost: undefined, sshOptions: [], interpreter: ["ssh", "host"] };

  it("is taken by the first who asks the same; the next one asks anew", async () => {
    askEarly(connection, ["state /a"], 0);
    expect((await askFacts(connection, ["state /a"], 0)).machine).toBe("abc");
    expect(timesAsked()).toBe(1);
    await askFacts(connection, ["state /a"], 0);
    expect(timesAsked()).toBe(2);
  });

  it.each<[string, Parameters<typeof askFacts>]>([
    ["anything else", [connection, ["state /b"], 0]],
    ["in another way", [{ ...connection, interpreter: ["ssh", "other"] }, ["state /a"], 0]],
    ["with another patience", [connection, ["state /a"], 5]],
  ])("is not taken by who asks %s, nor later", async (_what, other) => {
    askEarly(connection, ["state /a"], 0);
    await askFacts(...other);
    await askFacts(connection, ["state /a"], 0);
    expect(timesAsked()).toBe(3);
  });

  it("that is a failure says the same", async () => {
    writeFileSync(join(folder, "ssh"), "#!/bin/sh\necho 'Permission denied (publickey)' >&2\nexit 255\n");
    askEarly(connection, [], 0);
    await expect(askFacts(connection, [], 0)).rejects.toThrow("load the key into the ssh agent");
  });

  it("that nobody takes is no error", async () => {
    writeFileSync(join(folder, "ssh"), "#!/bin/sh\nexit 255\n");
    askEarly(connection, ["nobody"], 0);
    await expect(askFacts(connection, [], 0)).rejects.toThrow("no answer");
  });
});

describe("what is asked before the program begins", () => {
  const values = change(
    completedProd({ backend: "examples/crm/backend", frontend: "examples/crm/frontend" }),
    "host.address",
    "ssh://root@127.0.0.1:1",
  );
  const environment = (config: Values) => ({
    PULUMI_CONFIG: JSON.stringify({
      "pulumi:disable-default-providers": '["docker"]',
      ...Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
          `crm:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
    }),
  });
  const args = ["node", "run", "--monitor", "m", "--project", "crm", "--stack", "prod", "."];

  it.each([
    ["an up", args, undefined],
    ["a preview", [...args.slice(0, -1), "--dry-run", "."], 0],
  ])("is what %s asks", async (_what, given, preview) => {
    const config = readValues(values);
    const wait = preview ?? config.host.lockWait;
    begin(given, environment(values));
    await askFacts(
      connectionTo(config.host),
      factLines({ project: "crm", stack: "prod" }, config, wait),
      wait,
    );
    expect(timesAsked()).toBe(1);
  });

  it("is nothing where Pulumi has not started this", () => {
    begin(["node", "script"], {});
    begin(args, {});
    expect(timesAsked()).toBe(0);
  });

  it("is nothing with a wrong config: the program says what is wrong", () => {
    expect(() => {
      begin(args, environment(change(values, "services.backend.port", "many")));
    }).toThrow();
    expect(timesAsked()).toBe(0);
  });
});
