import type { Box } from "../../test/e2e/lib/box";
import type { Crm } from "../../test/e2e/lib/crm";
import type { Service } from "./sources";

/** Something that deploys the example CRM to a box. */
export interface Contender {
  /** With its version. */
  readonly name: string;
  /** Its own. */
  readonly box: Box;
  readonly crm: Crm;
  /** The works that it has no notion of. */
  readonly lacks?: readonly string[];
  /** Changes one file of a service, so that its version is the mark. What was changed before stays. */
  change(service: Service, mark: string): Promise<void>;
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
