import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { expectFailure, expectSuccess, expectUntouched } from "../lib/expect";
import { ops } from "../lib/ops";
import type { Scenarios } from "../lib/scenarios";

/** What a person types besides pulumi, on a stack that serves. */
export function byHand(scenarios: Scenarios): void {
  scenarios.add(
    "ops status: what serves, as a table and for programs; another exit code when not all runs",
    async (site) => {
      const serving = await site.running();
      const { code, stdout } = await ops(site, ["status"]);
      expect(code).toBe(0);
      for (const { key } of Object.values(serving)) expect(stdout).toMatch(new RegExp(`${key} +running`));
      expect(stdout).not.toContain("\u001b");
      const { release } = await site.pulumi.outputs();
      expect(JSON.parse((await ops(site, ["status", "--json"])).stdout)).toMatchObject({
        release,
        whole: true,
      });

      await site.host.sh(`docker stop ${serving.frontend?.id ?? ""}`);
      const stopped = await ops(site, ["status"]);
      expect(stopped.code).toBe(2);
      expect(stopped.stdout).toMatch(/frontend .* exited /);
      await site.host.sh(`docker start ${serving.frontend?.id ?? ""}`);
    },
  );

  scenarios.add("ops check: the checklist alone; what says stop ends an up before anything", async (site) => {
    // A copy of the project is under no git: that is a warning, and the only one here.
    const checked = await ops(site, ["check"]);
    expect(checked.stdout).toMatch(/^warn +tree +the project is not under git/m);
    expect(checked.stdout).toMatch(/^pass +database +the database answers$/m);
    expect(checked.stdout).toMatch(/^pass +disk +\d+ MiB of disk free on the host$/m);
    expect(checked.code).toBe(2);
    await site.workspace.set("checks", { tests: { command: "echo looked; exit 1" }, tree: { level: "off" } });
    const before = await site.host.containers(site.fullName);
    const stopped = await ops(site, ["check"]);
    expect(stopped).toMatchObject({ code: 1, stderr: "looked\n" });
    expect(stopped.stdout).toMatch(/^stop +tests +tests fail$/m);
    const up = await site.pulumi.up();
    expectFailure(up);
    expect(up.text).toContain("checks.tests: tests fail");
    expect(up.text).toContain("Nothing was changed.");
    expect(up.changes).toEqual([]);
    expect(await site.host.containers(site.fullName)).toEqual(before);
    await site.workspace.restore();
  });

  scenarios.add(
    "ops doctor: what host and machine have, and who holds a port that is wanted",
    async (site) => {
      const { stdout, code } = await ops(site, ["doctor"]);
      expect(stdout).toMatch(/^pass +docker +\d+\.\d+/m);
      expect(stdout).toMatch(/^pass +programs +all that a release uses are there$/m);
      expect(stdout).toMatch(/^pass +port \d+ +is this stack's$/m);
      expect(stdout).toMatch(/^pass +clock +agrees with this machine's$/m);
      // There may be no cron, which is a warning.
      expect(code, stdout).toBe(/^warn /m.test(stdout) ? 2 : 0);
      const holder = createServer().listen(0, "127.0.0.1");
      await once(holder, "listening");
      const port = z.object({ port: z.number() }).parse(holder.address()).port;
      await site.workspace.set("http.port", port);
      const held = await ops(site, ["doctor", "--json"]);
      holder.close();
      await site.workspace.restore();
      expect(held.code).toBe(1);
      expect(JSON.parse(held.stdout)).toContainEqual({
        what: `port ${port}`,
        outcome: "stop",
        words: expect.stringMatching(
          /^is held by .*: stop it there \(as root: ss -ltnp\), or another port$/,
        ) as string,
      });
    },
  );

  scenarios.add("ops logs and exec: of the container that serves; its exit code is theirs", async (site) => {
    const logs = await ops(site, ["logs", "backend", "--tail", "all"]);
    expect(logs.code).toBe(0);
    expect(logs.stdout).toContain('"message":"started"');
    const words = [
      "exec",
      "backend",
      "node",
      "-e",
      "console.log(process.argv[1]); process.exit(7)",
      "it's $HOME",
    ];
    expect(await ops(site, words)).toMatchObject({ code: 7, stdout: "it's $HOME\n" });
    expect((await ops(site, ["exec", "database", "cat"], "typed")).stdout).toBe("typed");
    const unknown = await ops(site, ["logs", "bakend"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toBe('there is no service "bakend": did you mean backend?\n');
    expect((await ops(site, ["logs"])).code).toBe(64);
  });

  scenarios.add(
    "ops env import: the file's values reach just that service, secret, byte for byte, and none is shown",
    async (site) => {
      const marker = randomUUID();
      const value = `two\nlines of "${marker}" for $HOME `;
      const file = join(site.workspace.folder, ".env.production");
      await writeFile(file, `# the CRM\nPORT=9\nNUMBER=0012\nTEXT='${value}'\nMODE=true\nLATER=changeme\n`);
      const importing = (...options: string[]) =>
        ops(site, ["env", "import", file, "--service", "backend", ...options]);
      const refused = await importing();
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.stderr).toContain("add --yes");
      const done = await importing("--plain", "MODE", "--yes");
      expect(done).toMatchObject({ code: 0, stderr: "" });
      expect(done.stdout).toMatch(/added: MODE, NUMBER, TEXT\n/);
      expect(done.stdout).toMatch(/left out: the stack gives it itself .*: PORT\n/);
      expect(done.stdout).toMatch(/left out: still a placeholder: LATER\n/);
      expect(done.stdout).not.toContain(marker);

      const before = await site.running();
      const preview = await site.pulumi.preview();
      expect(preview.text).not.toContain(marker);
      expectSuccess(await site.pulumi.up());
      const after = await site.running();
      expectUntouched(before, after, ["database", "proxy", "frontend"]);
      const environment = await site.host.sh(
        `docker exec ${after.backend?.id ?? ""} node -e 'console.log(JSON.stringify(process.env))'`,
      );
      expect(JSON.parse(environment)).toMatchObject({
        NUMBER: "0012",
        TEXT: value,
        MODE: "true",
        PORT: "3000",
      });

      const again = await importing("--plain", "MODE", "--yes");
      expect(again.stdout).toMatch(/unchanged: MODE, NUMBER, TEXT\n[^]*nothing to do\n/);
      await writeFile(file, "MODE=true\n");
      const fewer = await importing("--plain", "MODE", "--remove", "--yes");
      expect(fewer.stdout).toMatch(/removed: NUMBER, TEXT\n/);
      const empty = await importing("--plain", "MODE");
      expect(empty.stdout).toContain("nothing to do");
      await site.settle();
    },
  );
}
