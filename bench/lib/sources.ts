import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "../../test/e2e/lib/checkout";

export type Service = "backend" | "frontend";
export const SERVICES: readonly Service[] = ["backend", "frontend"];

/** The example CRM's sources in a folder of a contender's own. */
export class Sources {
  constructor(private readonly folder: string) {}

  async restore(): Promise<void> {
    for (const service of SERVICES)
      await cp(join(checkout, "examples", "crm", service), join(this.folder, service), {
        recursive: true,
        filter: (path) => !/[/\\](node_modules|dist)([/\\]|$)/.test(path),
      });
  }

  /** One file of it is another, so that its version is the mark. */
  async change(service: Service, mark: string): Promise<void> {
    const file = join(this.folder, service, "src", "version.ts");
    await writeFile(file, (await readFile(file, "utf8")).replace('"1.0.0"', JSON.stringify(mark)));
  }
}
