import { expect } from "vitest";
import { expectNoneFailed, expectSuccess, expectUntouched } from "../lib/expect";
import { expectContact, type Scenarios } from "../lib/scenarios";

/** Scenarios 1 and 2: the first deploy, and the same again. */
export function firstAndAgain(scenarios: Scenarios): void {
  scenarios.foundation("1 first deploy: the site serves, and a contact can be created", async (site) => {
    const up = await site.pulumi.up();
    expectSuccess(up);
    site.report.add("first deploy", up.seconds);
    expect(await site.crm.page()).toContain("Small CRM");
    await site.crm.createContact(site.contactName);
    await expectContact(site);
    const outputs = await site.pulumi.outputs();
    expect(outputs.url).toMatch(/^http:\/\/localhost(:\d+)?$/);
    expect(outputs.release).toMatch(/^[0-9a-f]{12}$/);
    expect(outputs.running).toMatchObject({
      backend: { version: expect.stringMatching(/^backend-/) as unknown, why: "first build" },
      frontend: { version: expect.stringMatching(/^frontend-/) as unknown, why: "first build" },
    });
  });

  scenarios.add("every container is hardened, and only nginx publishes a port", async (site) => {
    const running = await site.running();
    expect(Object.keys(running).sort()).toEqual(["backend", "database", "frontend", "proxy"]);
    for (const { service, hardened, published } of Object.values(running)) {
      expect(hardened, service).toMatchObject({ readOnly: true, drops: ["ALL"] });
      expect(hardened.user, service).toMatch(/^(?!0+(:|$)|root)./);
      expect(hardened.memory, service).toBeGreaterThan(0);
      expect(published, service).toEqual(service === "proxy" ? ["61080/tcp"] : []);
    }
  });

  scenarios.add("2 again: everything is unchanged, and no container is restarted", async (site) => {
    const before = await site.running();
    const [up, load] = await site.measuredUp("nothing changed");
    expectSuccess(up);
    expect(up.changes).toEqual([]);
    expect(up.resources.length).toBeGreaterThan(10);
    expectUntouched(before, await site.running());
    expectNoneFailed(load);
  });
}
