import { join } from "node:path";
import { z } from "zod";
import { checkout } from "./checkout";
import { run } from "./command";
import { Host } from "./host";

/** A VPS in a box (sandbox/box): 1 GiB, sshd, an engine of its own, published on 127.0.0.1. */
export interface Box {
  readonly host: Host;
  readonly sshPort: number;
  readonly httpPort: number;
  /** The same number inside and outside. */
  readonly webPort: number;
  readonly hostKey: string;
  /** What a deployer has in the environment: the agent with the key that opens the box. */
  readonly deployerEnv: NodeJS.ProcessEnv;
  /** As a VPS reboots; returns when ssh and the engine answer again. */
  readonly reboot: () => Promise<void>;
  /** It takes no processor time from others, and does nothing, until it is thawed. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
}

const info = z.object({
  ssh_port: z.coerce.number().int(),
  http_port: z.coerce.number().int(),
  web_port: z.coerce.number().int(),
  host_key: z.string().startsWith("ssh-"),
  agent_sock: z.string().startsWith("/"),
});

const script = join(checkout, "sandbox", "box");

/** A fresh machine under this name, whatever it was before. */
export async function freshBox(name: string): Promise<Box> {
  const env = { ...process.env, BOX_NAME: name };
  await run(script, ["up"], { env, timeout: 300_000 });
  await run(script, ["reset"], { env, timeout: 300_000 });
  const told = info.parse(assignments(await run(script, ["info"], { env })));
  return {
    host: new Host([script, "exec"], env),
    sshPort: told.ssh_port,
    httpPort: told.http_port,
    webPort: told.web_port,
    hostKey: told.host_key,
    deployerEnv: { SSH_AUTH_SOCK: told.agent_sock },
    reboot: async () => {
      await run(script, ["reboot"], { env, timeout: 180_000 });
    },
    freeze: async () => {
      await run(script, ["freeze"], { env });
    },
    thaw: async () => {
      await run(script, ["thaw"], { env });
    },
  };
}

/** Switches it off; its disk stays, for whoever wants to look. */
export async function switchOff(name: string): Promise<void> {
  await run(script, ["down"], { env: { ...process.env, BOX_NAME: name } });
}

/** Lines name=value or name='value', as sh reads them. */
function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)=(?:'([^']*)'|(.*))$/gm)].map(([, name = "", quoted, bare]) => [
      name,
      quoted ?? bare ?? "",
    ]),
  );
}
