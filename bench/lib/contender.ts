import type { Crm } from "../../test/e2e/lib/crm";

/** Something that deploys the example CRM to the box. */
export interface Contender {
  /** With its version. */
  readonly name: string;
  readonly crm: Crm;
  /** Changes one file of a service, so that its version is the mark. */
  change(service: "backend" | "frontend", mark: string): Promise<void>;
  /** The next deploy's backend never gets healthy. */
  breakBackend(): Promise<void>;
  /** Sources and settings as they were first. */
  revert(): Promise<void>;
  /** Whether it says that it succeeded. */
  deploy(): Promise<boolean>;
  /** Back to the deploy before the last one, with what this contender has for that. */
  back(): Promise<boolean>;
  /** What is only looked at, if this contender has it: `preview`, `status`. */
  readonly looks?: Readonly<Record<string, () => Promise<unknown>>>;
  remove(): Promise<void>;
}
