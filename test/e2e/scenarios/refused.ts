import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import { expectFailure } from "../lib/expect";
import type { Scenarios } from "../lib/scenarios";

/** What is refused before anything is touched: a server that is not the pinned one, and a config with mistakes. */
export function refusals(scenarios: Scenarios): void {
  scenarios.add("another host key: refused before anything, with what to do", async (site) => {
    const before = await site.host.containers(site.fullName);
    await site.workspace.set("host.hostKey", anotherHostKey());
    const up = await site.pulumi.up();
    expectFailure(up);
    expect(up.text).toMatch(/host key is not the pinned one \(host\.hostKey\)/);
    expect(up.text).toMatch(/ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/);
    expect(up.text).toMatch(/ssh-keyscan/);
    expect(up.text).toContain("Nothing was changed.");
    expect(up.changes).toEqual([]);
    await site.workspace.restore();
    expect(await site.host.containers(site.fullName)).toEqual(before);
  });

  scenarios.add(
    "mistakes in the config: all told at once, each with its path, before anything",
    async (site) => {
      await site.workspace.set("services.backend.port", 99999);
      await site.workspace.set("services.backend.memroy", 160);
      await site.workspace.set("services.frontend.needs", ["datbase"]);
      await site.workspace.set("database.memory", "a lot");
      const up = await site.pulumi.up();
      expectFailure(up);
      expect(up.text).toContain("services.backend.port: must be 1-65535, is 99999");
      expect(up.text).toContain("services.backend.memroy: is not a setting: did you mean memory?");
      expect(up.text).toMatch(/database\.memory: must be .* MiB/);
      expect(up.text).toMatch(/services\.frontend\.needs: there is no service "?datbase"?/);
      expect(up.text).toContain("nothing was changed");
      expect(up.changes).toEqual([]);
      await site.workspace.restore();
    },
  );
}

/** A sound ed25519 key in OpenSSH's form, of a server that does not exist (RFC 8709, 4: two length-prefixed strings). */
function anotherHostKey(): string {
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const parts = [Buffer.from("ssh-ed25519"), Buffer.from(x, "base64url")];
  const blob = Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
  return `ssh-ed25519 ${blob.toString("base64")}`;
}
