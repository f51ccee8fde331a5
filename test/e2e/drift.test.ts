import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { pause } from "./lib/command";
import { expectNoneFailed, expectSuccess, expectUntouched } from "./lib/expect";
import type { Seen } from "./lib/host";
import { ops } from "./lib/ops";
import { rows } from "./lib/rows";
import { expectContact } from "./lib/scenarios";
import { Site } from "./lib/site";

/** Says by itself that it is ill, within seconds; a restart, which empties /tmp, heals it. */
const WORKER = `FROM debian:bookworm-slim
HEALTHCHECK --interval=1s --timeout=5s --retries=2 CMD ["test", "!", "-e", "/tmp/ill"]
CMD ["sleep", "infinity"]
`;

interface Case {
  readonly what: string;
  /** What somebody does by hand: a script for the host, which knows the containers' IDs as $backend and so on. */
  readonly hand: string;
  /** What a preview says of it. */
  readonly told: readonly RegExp[];
  /** What `ops drift` lists: where, and what kind. */
  readonly listed: readonly string[];
  /** The services whose containers may be started or made anew; no other process is touched. */
  readonly touched: readonly string[];
  readonly underLoad?: boolean;
  /** Tried where every row is: others go the same ways. */
  readonly alone?: true;
}

const inProxy = (script: string): string =>
  `docker exec -u 0 $proxy sh -c 'cd /etc/nginx/state && ${script}'`;
const ALL = ["backend", "database", "frontend", "proxy", "worker"];

const cases: Case[] = [
  {
    what: "strays, an edited nginx.conf, other limits, another name and image: no request fails",
    hand: `
      docker run -d --name "$stack-stray" --label deploy.stack=$label --label deploy.role=proxy nginx:1.30-trixie sleep 600
      docker create --label deploy.stack=$label --label deploy.key=frontend-000000000000 nginx:1.30-trixie
      ${inProxy('echo "# edited" >>nginx.conf')}
      docker update --memory 200m --memory-swap 200m $frontend
      docker update --restart no $backend
      docker tag nginx:1.30-trixie "$(docker inspect -f '{{.Config.Image}}' $frontend)"
      docker rename $frontend "$stack-renamed"`,
    told: [
      /frontend +may use 200 MiB instead of 96: limited again/,
      /backend +has the restart policy no: set to always again/,
      /nginx\.conf was edited by hand: installed again/,
      /the container [0-9a-f]{12} \(running\) is not of the release that serves: removed/,
      /the container frontend-000000000000 \(created\) is not of the release that serves: removed/,
      /image of frontend: the image was changed by hand: built again/,
    ],
    listed: ["backend limits", "frontend image", "frontend limits", "host stray", "host stray", "proxy site"],
    touched: [],
    underLoad: true,
  },
  {
    what: "the frontend removed, the backend paused, the database killed, a worker ill",
    hand: `
      docker exec $worker touch /tmp/ill
      i=0; until [ "$(docker inspect -f '{{.State.Health.Status}}' $worker)" = unhealthy ]; do i=$((i+1)); [ $i -lt 600 ]; sleep 0.1; done
      docker rm -f $frontend; docker pause $backend; docker kill $database`,
    told: [
      /frontend +is gone: made anew and started/,
      /backend +is paused: goes on/,
      /database +is exited: started again/,
      /worker +is running but unhealthy: restarted, unless it recovers/,
      /proxy +unchanged/,
    ],
    listed: ["backend paused", "database stopped", "frontend gone", "worker unhealthy"],
    touched: ["frontend", "database", "worker"],
    alone: true,
  },
  {
    what: "all stopped, the proxy and the database removed",
    hand: "docker stop -t 2 $backend $frontend $worker $database $proxy; docker rm -f $proxy $database",
    told: [
      /proxy +is gone: made anew and started/,
      /database +is gone: made anew and started/,
      ...["backend", "frontend", "worker"].map((one) => new RegExp(`${one} +is exited: started again`)),
    ],
    listed: ["backend stopped", "database gone", "frontend stopped", "proxy gone", "worker stopped"],
    touched: ALL,
  },
  {
    what: "the networks removed under what runs: no process is restarted",
    hand: `
      for network in $(docker network ls -q --filter label=deploy.stack=$label); do
        for one in $(docker network inspect -f '{{range $id, $_ := .Containers}}{{$id}} {{end}}' $network); do
          docker network disconnect -f $network $one
        done
        docker network rm $network
      done`,
    told: [
      /the network edge is gone: made anew/,
      /the network data is gone: made anew/,
      /database +is cut off from the network data: connected again/,
      /backend +is cut off from the network edge: connected again; is cut off from the network data/,
    ],
    listed: [
      "backend detached",
      "backend detached",
      "database detached",
      "frontend detached",
      "host network",
      "host network",
      "proxy detached",
      "worker detached",
    ],
    // Nobody can ask it whether it is well.
    touched: ["worker"],
  },
  {
    what: "the backend cut off from the database; nginx's files edited and loaded, and deleted",
    hand: `
      docker network disconnect $(docker network ls -q --filter label=deploy.stack=$label --filter name=-data-) $backend
      ${inProxy('sed -i "s/gzip on/gzip off/" nginx.conf')}
      docker kill -s HUP $proxy
      ${inProxy("rm routes.json routes.js")}`,
    told: [
      /backend +is cut off from the network data: connected again/,
      /nginx\.conf was edited by hand: installed again/,
      /routes\.js is gone: installed again/,
      /routes\.json is gone: installed again/,
    ],
    listed: ["backend detached", "proxy routes", "proxy site", "proxy site"],
    touched: ["backend"],
    alone: true,
  },
  {
    what: "the proxy's configuration broken and the proxy restarted: it crashes again and again",
    hand: `${inProxy("echo broken >>nginx.conf")}; docker restart -t 1 $proxy; sleep 3`,
    told: [/proxy +(restarts again and again|is running but unhealthy): restarted/],
    listed: [expect.stringMatching(/^proxy (restarting|unhealthy)$/) as string],
    touched: ["proxy"],
    alone: true,
  },
  {
    what: "a run that was killed before its first verb",
    hand: 'echo "run $folder/runs/none" >$folder/journal',
    told: [/an earlier release was interrupted: taken back or tidied first/],
    listed: ["host interrupted"],
    touched: [],
  },
];

/** What `ops drift --json` prints, as far as it is looked at here. */
const report = z.object({
  drift: z.array(z.object({ service: z.string().default("host"), kind: z.string() })),
});

describe("drift: what was changed by hand on the host", () => {
  let site: Site;
  const stack = `drift-${process.pid}`;

  beforeAll(async () => {
    site = await Site.onThisMachine(stack);
    await mkdir(join(site.workspace.folder, "worker"));
    await writeFile(join(site.workspace.folder, "worker/Dockerfile"), WORKER);
    await site.workspace.set("services.worker", { source: "worker", memory: 16 });
    await site.workspace.keepConfig();
    expectSuccess(await site.pulumi.up());
    await site.crm.createContact(site.contactName);
  });

  async function byHand(script: string, running: Record<string, Seen>): Promise<void> {
    const ids = Object.values(running).map(({ service, id }) => `${service}=${id}`);
    const words = [...ids, `label=${site.fullName}`, `stack=${stack}`, `folder=${site.stateFolder}`].join(
      "; ",
    );
    await site.host.sh(`set -e; { ${words}\n${script}\n} >/dev/null`);
  }

  async function drift(): Promise<{ code: number | null; found: string[] }> {
    const { code, stdout } = await ops(site, ["drift", "--json"]);
    const { drift: all } = report.parse(JSON.parse(stdout));
    return { code, found: all.map(({ service, kind }) => `${service} ${kind}`).sort() };
  }

  it.each(rows(cases, ({ alone }) => alone !== true))(
    "$what",
    async ({ what, hand, told, listed, touched, underLoad = false }) => {
      const before = await site.running();
      expect(Object.keys(before).sort()).toEqual(ALL);
      await byHand(hand, before);

      const preview = await site.pulumi.preview();
      expectSuccess(preview);
      for (const one of told) expect(preview.text).toMatch(one);
      expect(await drift()).toEqual({ code: 2, found: listed });

      if (underLoad) {
        const [repair, load] = await site.measuredUp(what);
        expectSuccess(repair);
        expectNoneFailed(load);
      } else {
        const repair = await site.pulumi.up();
        expectSuccess(repair);
        site.report.add(what, repair.seconds);
      }
      const after = await site.running();
      expect(Object.keys(after).sort()).toEqual(ALL);
      expectUntouched(
        before,
        after,
        ALL.filter((one) => !touched.includes(one)),
      );
      const all = await site.host.containers(site.fullName);
      const keys = all.filter(({ role }) => role !== "migrate").map(({ key }) => key);
      expect(keys.sort(), "nothing else is there").toEqual(
        Object.values(before)
          .map(({ key }) => key)
          .sort(),
      );
      expect(all.find(({ service }) => service === "frontend")?.hardened.memory).toBe(96 * 1024 ** 2);
      expect(await site.crm.page()).toContain("Small CRM");
      await expectContact(site);

      expect(await drift()).toEqual({ code: 0, found: [] });
      const again = await site.pulumi.up();
      expectSuccess(again);
      expect(again.changes).toEqual([]);
      expectUntouched(after, await site.running());
    },
  );

  it("all restarted in another order: the site serves without a deploy, and there is nothing to do", async () => {
    await byHand(
      "for one in $proxy $frontend $backend $worker $database; do docker restart -t 2 $one; done",
      await site.running(),
    );
    const serves = async (): Promise<boolean> => {
      try {
        await expectContact(site);
        return (await site.crm.page()).includes("Small CRM");
      } catch {
        return false;
      }
    };
    const began = performance.now();
    while (!(await serves())) {
      expect(performance.now() - began, "milliseconds until it serves").toBeLessThan(30_000);
      await pause(200);
    }
    const up = await site.pulumi.up();
    expectSuccess(up);
    expect(up.changes).toEqual([]);
  });

  it("the database removed with its data: told as lost; `up` makes it anew, empty, and its migration runs again", async () => {
    await byHand("docker rm -f $database && docker volume rm artsvao-$stack-database", await site.running());
    const preview = await site.pulumi.preview();
    expectSuccess(preview);
    expect(preview.text).toMatch(
      /the DATA of database IS LOST: the volume \S+-database is gone from the host/,
    );
    expect(await drift()).toEqual({ code: 2, found: ["database data", "database gone"] });

    expectSuccess(await site.pulumi.up());
    expect(await site.crm.contacts(site.contactName)).toEqual([]);
    await site.crm.createContact(site.contactName);
    await expectContact(site);
    const volume = `${site.fullName.replace("/", "-")}-database`;
    expect(await site.host.volumes(site.fullName), "the new one has our label").toContain(volume);
    expect(
      await site.host.sh(`docker volume inspect -f '{{index .Labels "deploy.made"}}' ${volume}`),
    ).toContain("1");
    expect(await drift()).toEqual({ code: 0, found: [] });
    const again = await site.pulumi.up();
    expectSuccess(again);
    expect(again.changes).toEqual([]);
  });

  afterAll(async () => {
    await site.report.write();
    await site.remove();
  });
});
