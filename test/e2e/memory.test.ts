import { afterAll, beforeAll, describe, expect } from "vitest";
import { freshBox, switchOff } from "./lib/box";
import { pause } from "./lib/command";
import { expectFailure, expectNoneFailed, expectSuccess, expectUntouched } from "./lib/expect";
import { expectNobodyKilled, freeMemory, oomKills } from "./lib/memory";
import { expectContact, Scenarios } from "./lib/scenarios";
import { Site } from "./lib/site";

const BOX = "memory";
const DOCKERFILE = "examples/crm/frontend/Dockerfile";
const BUILT = /^(create|create-replacement) (Image|Command) (frontend|backend)-[0-9a-f]{12}(-local)?$/;

/** Another version, whose build takes 600 MB for some seconds, and never from the cache of an earlier test. */
async function changeFrontend({ workspace }: Site, version: string): Promise<void> {
  const hungry = `const taken = Buffer.alloc(600e6, 1); setTimeout(() => taken.at(0), 4000); // ${Date.now()}`;
  await workspace.replace(DOCKERFILE, "RUN npm run build\n", `RUN npm run build\nRUN node -e '${hungry}'\n`);
  await workspace.replace("examples/crm/frontend/src/version.ts", '"1.0.0"', `"${version}"`);
}

describe("memory on a VPS of 1 GiB, over ssh", () => {
  let site: Site | undefined;
  const scenarios = new Scenarios(() => site);

  beforeAll(async () => {
    site = await Site.inBox(await freshBox(BOX), BOX, "Memory, in the box");
  });

  scenarios.foundation("the first images are built on the host, one after the other", async (here) => {
    const preview = await here.pulumi.preview();
    expect(preview.text).toMatch(/image of frontend: built on the host \(512 MiB assumed, [0-9]+ to spare\)/);
    const kills = await oomKills(here.host);
    const up = await here.pulumi.up();
    expectSuccess(up);
    here.report.add("first deploy", up.seconds);
    expect(up.changes.filter((change) => BUILT.test(change))).toEqual([
      expect.stringMatching(/^create Image backend-/),
      expect.stringMatching(/^create Image frontend-/),
    ]);
    await expectNobodyKilled(here.host, here.fullName, kills);
    // What each build took is kept for the next.
    expect(await here.host.sh(`sort ${here.stateFolder}/needs`)).toMatch(/^backend [0-9]+\nfrontend [0-9]+$/);
    await here.crm.createContact(here.contactName);
    await expectContact(here);
  });

  scenarios.foundation(
    "a build of 600 MB where the host has room for it: nothing is killed, no request fails, its need is measured",
    async (here) => {
      await changeFrontend(here, "1.0.5");
      const before = await here.running();
      const kills = await oomKills(here.host);
      const [up, load] = await here.measuredUp("a build of 600 MB on the host");
      expectSuccess(up);
      expect(up.changes.filter((change) => BUILT.test(change))).toEqual([
        expect.stringMatching(/^create Image frontend-/),
      ]);
      expect(await here.crm.frontendVersion()).toBe("1.0.5");
      expectNoneFailed(load);
      await expectNobodyKilled(here.host, here.fullName, kills);
      expectUntouched(before, await here.running(), ["backend", "database", "proxy"]);
      const measured = Number(await here.host.sh(`sed -n 's/^frontend //p' ${here.stateFolder}/needs`));
      expect(measured).toBeGreaterThan(550);
      expect(measured).toBeLessThan(850);
      await here.workspace.restore();
    },
  );

  scenarios.foundation(
    "a build of 600 MB where others use the host too: built on the deployer's machine, only new layers are shipped",
    async (here) => {
      await here.host.sh(
        `docker run -d --name neighbour node:22-bookworm-slim node -e 'const taken = Buffer.alloc(250e6, 1); setInterval(() => taken.at(0), 1000)'`,
      );
      await changeFrontend(here, "1.0.6");
      const preview = await here.pulumi.preview();
      expectSuccess(preview);
      expect(preview.text).toMatch(
        /image of frontend: built here and shipped: [0-9]+ MiB too little on the host \([0-9]+ measured, [0-9]+ to spare\)/,
      );

      const before = await here.running();
      const kills = await oomKills(here.host);
      const [up, load] = await here.measuredUp("a build of 600 MB, built here and shipped");
      expectSuccess(up);
      expect(up.changes.filter((change) => BUILT.test(change))).toEqual([
        expect.stringMatching(/^create Command frontend-[0-9a-f]{12}-local$/),
      ]);
      expect(await here.crm.frontendVersion()).toBe("1.0.6");
      expectNoneFailed(load);
      await expectNobodyKilled(here.host, here.fullName, kills);
      expectUntouched(before, await here.running(), ["backend", "database", "proxy"]);

      const [line = "", sent = "", whole = "", had = ""] =
        /shipped (\d+) KiB compressed, of an image of (\d+) KiB: (\d+) of \d+ layers were on the host already/.exec(
          up.text,
        ) ?? [];
      console.log(line);
      expect(Number(had)).toBeGreaterThan(0);
      expect(Number(sent)).toBeLessThan(Number(whole) / 10);
      await here.host.sh("docker rm -f neighbour");
    },
  );

  scenarios.add("the same again, now that there is room: unchanged", async (here) => {
    const before = await here.running();
    const again = await here.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
    expectUntouched(before, await here.running());
  });

  scenarios.add("reverted: the image that the host has kept needs no build, then unchanged", async (here) => {
    const images = await here.host.imageIds(here.fullName);
    await here.workspace.restore();
    const preview = await here.pulumi.preview();
    expect(preview.text).toMatch(/image of frontend: kept from an earlier release: no build/);
    const [up, load] = await here.measuredUp("that reverted: no build");
    expectSuccess(up);
    expect(up.changes.filter((change) => BUILT.test(change))).toEqual([]);
    expect(await here.host.imageIds(here.fullName)).toEqual(images);
    expect(await here.crm.frontendVersion()).toBe("1.0.0");
    expectNoneFailed(load);
    const again = await here.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
  });

  scenarios.add("another image under our tag: shown, built again, then unchanged", async (here) => {
    const before = await here.running();
    const images = await here.host.imageIds(here.fullName);
    const tag = before.backend?.image ?? "";
    await here.host.sh(`docker tag nginx:1.30-trixie '${tag}'`);
    expect(await here.host.imageIds(here.fullName)).not.toEqual(images);
    const preview = await here.pulumi.preview();
    expect(preview.text).toMatch(
      /image of backend: the image was changed by hand: built again; built on the host/,
    );
    const up = await here.pulumi.up();
    expectSuccess(up);
    expect(up.changes.filter((change) => BUILT.test(change))).toEqual([
      expect.stringMatching(/^create-replacement Image backend-/),
    ]);
    const nginx = await here.host.sh("docker image inspect -f '{{.Id}}' nginx:1.30-trixie");
    expect(await here.host.sh(`docker image inspect -f '{{.Id}}' '${tag}'`)).not.toBe(nginx);
    expectUntouched(before, await here.running());
    const again = await here.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
  });

  scenarios.add(
    "memory that others took since the plan: the release stops before it changes anything, and says who has it",
    async (here) => {
      const before = await here.running();
      const kills = await oomKills(here.host);
      await here.workspace.set("services.frontend.memory", 200);
      await here.workspace.set("services.frontend.args", { NOTE: String(Date.now()) });
      await here.host.sh(
        `docker run -d --name hog -v /tmp:/tmp node:22-bookworm-slim node -e 'const fs = require("fs"); const held = []; setInterval(() => { if (held.length === 0 && fs.existsSync("/tmp/take")) held.push(Buffer.alloc(Number(fs.readFileSync("/tmp/take", "utf8")) * 1048576, 1)); }, 50)'`,
      );
      try {
        const [outcome, load] = await here.underLoad(async () => {
          const up = here.pulumi.startUp();
          // The plan is made; the runner is kept waiting while somebody else takes what it counted on.
          await up.says(/Image frontend-[0-9a-f]{12} creating/);
          const held = here.host.sh(
            `exec 9>>${here.stateFolder}/lock; flock 9; i=0; until [ -f /tmp/taken ] || [ $i -gt 600 ]; do i=$((i + 1)); sleep 0.1; done`,
          );
          await up.says(/Image frontend-[0-9a-f]{12} created/);
          const free = await freeMemory(here.host);
          await here.host.sh(`echo ${free - 110} >/tmp/take.new; mv /tmp/take.new /tmp/take`);
          for (let i = 0; i < 100 && (await freeMemory(here.host)) > 150; i++) await pause(100);
          await here.host.sh("touch /tmp/taken");
          await held;
          return up.end;
        });
        expectFailure(outcome);
        expect(outcome.text).toMatch(
          /too little memory for frontend-[0-9a-f]{12} just now: it may take 200 MiB, [0-9]+ of 1024 MiB are free \([0-9]+ MiB too little\)/,
        );
        expect(outcome.text).toMatch(/most is used by: container hog [0-9]+ MiB/);
        expect(outcome.text).toContain("Nothing was changed.");
        expectNoneFailed(load);
        expectUntouched(before, await here.running());
        await expectNobodyKilled(here.host, here.fullName, kills);
      } finally {
        await here.host.sh("docker rm -f hog >/dev/null; rm -f /tmp/take /tmp/taken");
      }
      const up = await here.pulumi.up();
      expectSuccess(up);
      expect((await here.running()).frontend?.hardened.memory).toBe(200 * 1024 * 1024);
      await here.workspace.restore();
      expectSuccess(await here.pulumi.up());
    },
  );

  afterAll(async () => {
    if (site === undefined) return;
    await site.report.write();
    await site.workspace.remove();
    await switchOff(BOX);
  });
});
