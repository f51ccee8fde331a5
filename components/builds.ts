import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../host/connection";
import { MemorySampler } from "../host/sampleMemory";
import type { Facts } from "../plan/found/facts";
import type { ImageChoice } from "../plan/release/images";

/** The builds of one run: one at a time, and what each took of the host's memory. */
export class Builds {
  /** What the next build waits for. */
  last: pulumi.Resource[] = [];
  /** MiB by service, as measured in this run. */
  readonly measured = new Map<string, number>();
  private sampler: MemorySampler | undefined;
  private sampled = 0;

  /** @param stackLines what a script on the host is told about the stack */
  constructor(
    private readonly connection: Connection,
    private readonly facts: Facts,
    private readonly stackLines: () => string[],
  ) {}

  add<T extends pulumi.CustomResource>(image: ImageChoice, resource: T): T {
    this.last = [resource];
    if (image.builds && image.place === "host") this.measure(image.service, resource);
    return resource;
  }

  /** Builds follow each other, so what was sampled since the one before belongs to this one. */
  private measure(service: string, resource: pulumi.CustomResource): void {
    const { facts, connection } = this;
    // This machine's own engine builds in any case: nothing is decided by what it takes.
    const here = connection.dockerHost === undefined;
    if (pulumi.runtime.isDryRun() || here || facts.memory === undefined) return;
    this.sampler ??= new MemorySampler(connection, this.stackLines());
    this.sampled += 1;
    resource.id.apply(() => {
      const taken = this.sampler?.take();
      if (taken !== undefined) this.measured.set(service, taken);
      this.sampled -= 1;
      if (this.sampled === 0) this.sampler?.stop();
    });
  }
}
