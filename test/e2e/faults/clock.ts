import { expectNoneFailed, expectSuccess } from "../lib/expect";
import { expectUnchanged } from "./deployers";
import type { Stage } from "./stage";

/**
 * A release whose runner has another clock than nginx, by so many seconds: as if the machine's clock were set after the
 * runner has looked at it and before nginx does. (It is not a test's to set: the box shares it with this machine.)
 */
export async function clockIsSet({ site, exchange }: Stage, seconds: number): Promise<void> {
  const shim = `#!/bin/sh\nexec /usr/bin/date -d "${seconds} seconds" "$@"\n`;
  const encoded = Buffer.from(shim).toString("base64");
  const file = "/usr/local/bin/date";
  try {
    await site.host.sh(`echo ${encoded} | base64 -d >${file} && chmod 755 ${file} && date`);
    await exchange.next();
    const [up, load] = await site.underLoad(() => site.pulumi.up());
    expectSuccess(up);
    expectNoneFailed(load);
  } finally {
    await site.host.sh(`rm -f ${file}`);
  }
  await expectUnchanged(site);
}
