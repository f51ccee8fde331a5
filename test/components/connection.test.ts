import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { askFacts, HostUnreachable } from "../../host/askFacts";
import { hostScript } from "../../host/bundle";
import { type Connection, connectionTo } from "../../host/connection";
import { change, LEAST, read } from "../plan/support/config";

const REMOTE = change(LEAST, "host", {
  address: "ssh://deploy@vps.example.org",
  hostKey: "ssh-ed25519 AAAA",
});
const remote = (path?: string, value?: unknown): Connection =>
  connectionTo(read(path === undefined ? REMOTE : change(REMOTE, path, value)).host);
/** The settings of ssh, without the -o before each. */
const settings = ({ sshOptions }: Connection): string[] => sshOptions.filter((_, i) => i % 2 === 1);

describe("the way to a host", () => {
  it("on this machine is its own engine and shell", () => {
    expect(connectionTo(read(LEAST).host)).toEqual({
      dockerHost: undefined,
      sshOptions: [],
      interpreter: ["/bin/sh", "-c"],
    });
  });

  it("by ssh is the same for docker and for commands: no questions, the pinned key only, one connection", () => {
    const connection = remote();
    expect(connection.dockerHost).toBe("ssh://deploy@vps.example.org");
    expect(connection.interpreter).toEqual([
      "ssh",
      ...connection.sshOptions,
      "-p",
      "22",
      "-l",
      "deploy",
      "vps.example.org",
      "--",
    ]);
    const pin = createHash("sha256").update("ssh-ed25519 AAAA").digest("hex").slice(0, 8);
    expect(settings(connection)).toEqual([
      "BatchMode=yes",
      "ConnectTimeout=10",
      "ServerAliveInterval=5",
      "ServerAliveCountMax=3",
      "StrictHostKeyChecking=yes",
      "UserKnownHostsFile=/dev/null",
      "GlobalKnownHostsFile=/dev/null",
      "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAA",
      "HostKeyAlgorithms=ssh-ed25519",
      "ControlMaster=auto",
      `ControlPath=~/.ssh/deploy-%C-${pin}`,
      "ControlPersist=60",
    ]);
  });

  it("has another shared connection for another key: the old one was not proven by it", () => {
    const path = (connection: Connection): string | undefined =>
      settings(connection).find((one) => one.startsWith("ControlPath="));
    expect(path(remote("host.hostKey", "ssh-ed25519 BBBB"))).not.toBe(path(remote()));
  });

  it("takes the port, the key file and the algorithms of an old key", () => {
    expect(remote("host.address", "ssh://root@10.0.0.1:2222").interpreter.slice(-6)).toEqual([
      "-p",
      "2222",
      "-l",
      "root",
      "10.0.0.1",
      "--",
    ]);
    expect(settings(remote("host.identityFile", "~/.ssh/deploy")).slice(-2)).toEqual([
      "IdentityFile=~/.ssh/deploy",
      "IdentitiesOnly=yes",
    ]);
    expect(settings(remote("host.hostKey", "ssh-rsa AAAA"))).toContain(
      "HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256",
    );
  });
});

describe("a host that is asked", () => {
  /** Answers as a host would: `script` runs in place of ssh, with what is sent to it on stdin. */
  const host = (script: string): Connection => ({
    dockerHost: undefined,
    sshOptions: [],
    interpreter: ["/bin/sh", "-c", script],
  });
  const ask = (script: string, payload = ["state /nowhere"]) => askFacts(host(script), payload, 0);
  const complaint = async (script: string): Promise<string> => {
    try {
      await ask(script);
    } catch (error) {
      if (error instanceof HostUnreachable) return error.message;
      throw error;
    }
    throw new Error("it answered");
  };

  it("tells what it found, and was given the whole script with what it must know", async () => {
    const sum = createHash("sha256")
      .update(hostScript("facts", ["state /nowhere"]))
      .digest("hex");
    const facts = await ask('printf "engine linux/amd64 20\\nactive $(sha256sum | cut -d" " -f1)\\nend\\n"');
    expect(facts).toMatchObject({ known: true, platform: "linux/amd64", active: sum });
  });

  it("is asked without what the CLI has given to this process alone, and with all else", async () => {
    process.env.PULUMI_CONFIG = '{"shop:token":"correct-horse"}';
    try {
      const facts = await ask(
        'printf "engine linux/amd64 20\\nactive $HOME ${PULUMI_CONFIG-nothing}\\nend\\n"',
      );
      expect(facts.active).toBe(`${process.env.HOME ?? ""} nothing`);
    } finally {
      delete process.env.PULUMI_CONFIG;
    }
  });

  it.each<[what: string, script: string, message: string]>([
    ["breaks off", "printf 'engine linux/amd64 20\\n'", "the host's answer broke off"],
    ["is silent", "exit 255", "no answer"],
    [
      "cannot be found",
      "echo 'ssh: Could not resolve hostname vps: Name or service not known' >&2; exit 255",
      "ssh: Could not resolve hostname vps: Name or service not known",
    ],
    [
      "knows no key of ours",
      "echo 'Warning: something' >&2; echo 'deploy@vps: Permission denied (publickey).' >&2; exit 255",
      "deploy@vps: Permission denied (publickey).: load the key into the ssh agent (ssh-add) or set host.identityFile",
    ],
    [
      "has another key than the pinned one",
      "echo 'No ED25519 host key is known for vps and you have requested strict checking.' >&2; " +
        "echo 'Host key verification failed.' >&2; exit 255",
      "the server's host key is not the pinned one (host.hostKey): either the server was set up anew or somebody " +
        "stands in between. Compare on the server itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; " +
        "when it is right, set host.hostKey to what ssh-keyscan -t ed25519 prints",
    ],
  ])("%s: it is said, with the cure", async (_, script, message) => {
    expect(await complaint(script)).toBe(message);
  });

  it("says why it refuses even when it has not read what it was sent", async () => {
    const refuse = "exec <&-; echo 'deploy@vps: Permission denied (publickey).' >&2; exit 255";
    await expect(ask(refuse, [`state /${"x".repeat(1_000_000)}`])).rejects.toThrow(
      "load the key into the ssh agent",
    );
  });

  it("is given up when ssh is killed, or takes too long", async () => {
    await expect(ask("kill -9 $$")).rejects.toThrow("/bin/sh was ended by SIGKILL");
    await expect(ask("kill -TERM $$")).rejects.toThrow("/bin/sh was ended by SIGTERM");
    await expect(askFacts(host("exec sleep 20"), [], -59.5)).rejects.toThrow("no answer within 0.5 s");
  });

  it("without ssh on this machine says so", async () => {
    const connection = { ...host(""), interpreter: ["no-such-program"] };
    await expect(askFacts(connection, [], 0)).rejects.toThrow("cannot run no-such-program");
  });
});
