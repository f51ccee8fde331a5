import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import type { Box } from "../lib/box";
import { expectSuccess, expectUntouched } from "../lib/expect";
import { ops } from "../lib/ops";
import type { Scenarios } from "../lib/scenarios";

/** A host that has an IPv6 address, in brackets; its sshd listens on IPv4, so a relay of this test stands between. */
export function overIpv6(scenarios: Scenarios, box: () => Box): void {
  scenarios.add("the host is reached by IPv6", async (site) => {
    const relay = createServer((client) => {
      const inside = connect(box().sshPort, "127.0.0.1");
      for (const end of [client, inside]) end.on("error", () => undefined);
      client.pipe(inside).pipe(client);
    }).listen(0, "::1");
    await once(relay, "listening");
    const { port } = relay.address() as AddressInfo;
    const before = await site.running();
    try {
      await site.workspace.set("host.address", `ssh://root@[::1]:${port}`);
      await site.workspace.set("services.frontend.memory", 100);
      const up = await site.pulumi.up();
      expectSuccess(up);
      expect(up.text).toMatch(/frontend-\w+ healthy/);
      expect((await ops(site, ["exec", "backend", "echo", "through"])).stdout).toBe("through\n");
    } finally {
      await site.workspace.restore();
      expectSuccess(await site.pulumi.up());
      relay.close();
    }
    expectUntouched(before, await site.running(), ["backend", "database", "proxy"]);
  });
}

/** A host that is reached through another one, as the person's own ssh config says. */
export function behindJumpHost(scenarios: Scenarios, box: () => Box): void {
  scenarios.add("the host lies behind a jump host of the person's ssh config", async (site) => {
    const { sshPort, hostKey } = box();
    const folder = join(site.workspace.folder, "person");
    await mkdir(folder);
    // The box is its own jump host: what comes by it comes from within.
    await writeFile(join(folder, "known_hosts"), `[127.0.0.1]:${sshPort} ${hostKey}\n`);
    await writeFile(
      join(folder, "config"),
      `Host crm-behind\n  HostName 127.0.0.1\n  ProxyJump jumper\n` +
        `Host jumper\n  HostName 127.0.0.1\n  Port ${sshPort}\n  User root\n  UserKnownHostsFile ${folder}/known_hosts\n`,
    );
    // ssh reads its config from the home folder, which is not a test's to write to.
    await writeFile(join(folder, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${folder}/config' "$@"\n`);
    await chmod(join(folder, "ssh"), 0o755);
    const before = await site.running();
    const path = site.pulumi.env.PATH;
    site.pulumi.env.PATH = `${folder}:${path ?? ""}`;
    try {
      await site.workspace.set("host.address", "ssh://root@crm-behind");
      expectSuccess(await site.pulumi.preview());
      const up = await site.pulumi.up();
      expectSuccess(up);
      // Both say how the host is reached, and nothing else.
      expect([...up.changes].sort()).toEqual(["update Command teardown", "update docker host"]);
      const status = await ops(site, ["status"]);
      expect(status.code, status.stderr).toBe(0);
      expect((await ops(site, ["exec", "backend", "echo", "through"])).stdout).toBe("through\n");
      // Without the jump nobody answers to that name.
      site.pulumi.env.PATH = path;
      expect((await ops(site, ["status"])).code).toBe(1);
    } finally {
      site.pulumi.env.PATH = path;
      await site.workspace.restore();
    }
    expectSuccess(await site.pulumi.up());
    expectUntouched(before, await site.running());
  });
}
