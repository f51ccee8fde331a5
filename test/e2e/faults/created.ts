import { expect } from "vitest";
import { expectNoneFailed, expectSuccess } from "../lib/expect";
import { expectUnchanged } from "./deployers";
import { localHost } from "../lib/host";
import type { Stage } from "./stage";

/**
 * `pulumi` is killed when the engine has made a container and Pulumi's state does not know of it: the connections are
 * frozen at the engine's own event, so that the answer cannot arrive.
 */
export async function killedAfterCreation({ site, exchange }: Stage): Promise<void> {
  const { host, pulumi, workspace, fullName } = site;
  await exchange.next();
  const [, load] = await site.underLoad(async () => {
    const sessions = `ps -C sshd -o pid=,args= | awk '/sshd: root/ { print $1 }'`;
    const created = host.sh(
      `docker events --filter type=container --filter event=create --filter label=deploy.stack=${fullName} --format '{{.ID}}' >/run/created & ` +
        `i=0; until [ -s /run/created ] || [ $i -gt 6000 ]; do i=$((i+1)); sleep 0.01; done; ` +
        `${sessions} | xargs -r kill -STOP; kill $!; head -n 1 /run/created; rm -f /run/created`,
    );
    const run = pulumi.startUp();
    const id = await created;
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    run.kill();
    expect((await run.end).code).toBe(null);
    await host.sh(`${sessions} | xargs -r kill -9`);
    await expectNoProgram(workspace.folder);
    expect((await host.containers(fullName)).map((one) => one.id)).toContain(id);
    expect(await pulumi.exportedState(), "Pulumi's state knows of it").not.toContain(id);
    await pulumi.cancel();
    expectSuccess(await pulumi.up());
    expect((await host.containers(fullName)).map((one) => one.id)).not.toContain(id);
  });
  expectNoneFailed(load);
  await expectUnchanged(site);
}

/** What still waits for the answers of a Pulumi that is dead. */
async function expectNoProgram(folder: string): Promise<void> {
  const programs = () =>
    localHost.sh(
      `for one in $(pgrep -f @pulumi/pulumi/cmd/run); do [ "$(readlink /proc/$one/cwd)" != ${folder} ] || echo $one; done`,
    );
  await expect.poll(programs, { timeout: 10_000 }).toBe("");
}
