import type { Site } from "../lib/site";

/** Releases that go through every verb: each of them changes database, frontend, backend and site. */
export class Exchange {
  private number = 0;

  constructor(private readonly site: Site) {}

  /** What stays the same in all of them. */
  async prepare(): Promise<void> {
    const { workspace } = this.site;
    await workspace.set("services.backend.order", "stop-first");
    await workspace.set("services.frontend.order", "start-first");
    // Requests wait longer than in any exchange that goes well: for the fault, and for what is taken back after it.
    await workspace.set("proxy.memory", 96);
    await this.next();
  }

  /** Configures another one. */
  async next(): Promise<void> {
    this.number += 1;
    await this.again();
  }

  /** Configures the last one, after the config was restored. */
  async again(): Promise<void> {
    const { workspace } = this.site;
    await workspace.set("services.backend.env.NOTE", this.note);
    await workspace.set("services.frontend.env.NOTE", this.note);
    await workspace.set("database.settings", { work_mem: `${4096 + this.number}kB` });
    await workspace.set("proxy.maxBody", 16 + (this.number % 100));
  }

  get note(): string {
    return `release ${this.number}`;
  }
}
