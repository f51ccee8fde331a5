import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Example } from "./lib/example";
import { expectFailure, expectSuccess } from "./lib/expect";
import { localHost } from "./lib/host";
import { PASSWORD, PrivateRegistry, USERNAME } from "./lib/registry";
import { Searcher } from "./lib/secrets";
import { Watch } from "./lib/watch";

/** Images that are not everybody's, and builds that need a secret; on this machine's engine. */
describe("what is private", () => {
  const token = randomBytes(16).toString("hex");
  const searcher = new Searcher([
    { name: "NPM_TOKEN", value: token, markers: [token] },
    { name: "the password", value: PASSWORD, markers: [PASSWORD] },
  ]);
  let app: Example;
  let registry: PrivateRegistry;
  beforeAll(async () => {
    registry = await PrivateRegistry.start();
    await registry.put("node:22-bookworm-slim", "team/base:1");
    app = await Example.in("test/e2e/apps/private", "private");
    await app.workspace.set("services.web.args.REGISTRY", registry.name);
    await app.pulumi.setSecret("services.web.buildSecrets.NPM_TOKEN", token);
  });
  afterAll(async () => {
    await app.remove();
    await registry.stop();
    await localHost.sh(`docker rmi -f ${registry.name}/team/base:1 || :`);
  });

  const logIn = async (password: string) => {
    await app.workspace.set("registries", { [registry.name]: { username: USERNAME } });
    await app.pulumi.setSecret(`registries["${registry.name}"].password`, password);
  };

  it("is not to be had without a login, nor with a wrong one, and nothing begins to serve", async () => {
    const without = await app.pulumi.up();
    expectFailure(without);
    expect(without.text).toContain(`${registry.name}/team/base:1`);
    expect(without.text).toMatch(/authoriz|401|credentials/i);
    await logIn("guessed wrongly");
    const wrong = await app.pulumi.up();
    expectFailure(wrong);
    expect(wrong.text).toMatch(/authoriz|401/i);
    expect(wrong.text).not.toContain("guessed wrongly");
    expect(await app.running()).toEqual({});
  });

  it("is built and pulled with the stack's login and secret, which are found nowhere", async () => {
    await logIn(PASSWORD);
    await app.workspace.set("services.base", {
      image: `${registry.name}/team/base:1`,
      command: ["sleep", "9999"],
      stopGrace: 1,
      memory: 32,
    });
    const watch = new Watch(searcher);
    const up = await app.pulumi.up();
    watch.stop();
    expectSuccess(up);
    expect(await (await app.fetch("/")).text()).toBe("ok");
    expect(Object.keys(await app.running()).sort()).toEqual(["base", "proxy", "web"]);

    expect([...watch.found, ...watch.shown]).toEqual([]);
    const [image = ""] = await localHost.images(app.fullName);
    const texts = {
      "what up said": up.text,
      "the exported state": await app.pulumi.exportedState(),
      "the history": await localHost.sh(`docker history --no-trunc ${image}`),
      "the layers": await localHost.sh(
        `d=$(mktemp -d); docker save ${image} | tar -x -C $d; find $d -name '*.tar' -exec tar -xOf {} \\; | grep -ac -e ${token} -e '${PASSWORD}' || :; rm -rf $d`,
      ),
      "docker's own logins": await localHost.sh('cat "$HOME/.docker/config.json" 2>/dev/null || :'),
      "what is left in memory": await localHost.sh("ls /dev/shm"),
    };
    expect(searcher.inAll(texts)).toEqual([]);
    expect(texts["the layers"].trim()).toBe("0");
    expect(texts["what is left in memory"]).not.toMatch(/tmp\./);
    expect(await searcher.below(app.workspace.folder, ["node_modules", "events"])).toEqual([]);
    expect(searcher.in(await app.pulumi.toldEvents())).toEqual([]);
  });

  it("builds nothing again for another value, and stays what it is", async () => {
    expect((await app.pulumi.up()).changes).toEqual([]);
    await app.pulumi.setSecret("services.web.buildSecrets.NPM_TOKEN", randomBytes(16).toString("hex"));
    expect((await app.pulumi.up()).changes).toEqual([]);
    await app.workspace.replace("test/e2e/apps/private/server.js", '"ok"', '"ok, changed"');
    const { text, ...changed } = await app.pulumi.up();
    expectSuccess({ text, ...changed });
    expect(await (await app.fetch("/")).text()).toBe("ok, changed");
  });
});
