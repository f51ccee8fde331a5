import { expect, it } from "vitest";
import type { Site } from "./site";

/**
 * Scenarios of one site in their order. Each begins on a site as the first deploy made it: what a failed one left
 * is reverted before the next. After each, the contact of the first must still be there.
 */
export class Scenarios {
  private impossible: string | undefined;
  private unsettled = false;

  /** @param site gives the site, which exists once the tests run */
  constructor(private readonly site: () => Site | undefined) {}

  /** All later ones stand on it: when it fails they are skipped. */
  foundation(name: string, work: (site: Site) => Promise<void>): void {
    this.test(name, async (site) => {
      try {
        await work(site);
      } catch (error) {
        this.impossible = `skipped: "${name}" failed`;
        throw error;
      }
    });
  }

  add(name: string, work: (site: Site) => Promise<void>): void {
    this.test(name, async (site) => {
      await this.settle(site);
      this.unsettled = true;
      await work(site);
      await expectContact(site);
      this.unsettled = false;
    });
  }

  private test(name: string, work: (site: Site) => Promise<void>): void {
    it(name, async (context) => {
      context.skip(this.impossible !== undefined, this.impossible);
      const site = this.site();
      if (site === undefined) throw new Error("there is no site");
      await work(site);
    });
  }

  private async settle(site: Site): Promise<void> {
    if (!this.unsettled) return;
    try {
      await site.settle();
    } catch (error) {
      this.impossible = "skipped: an earlier failure could not be reverted";
      throw error;
    }
  }
}

export async function expectContact(site: Site): Promise<void> {
  const names = (await site.crm.contacts(site.contactName)).map(({ name }) => name);
  expect(names, "the contact of the first deploy").toEqual([site.contactName]);
}
