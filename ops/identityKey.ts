import { randomBytes } from "node:crypto";
import type { StackNames } from "../plan/wanted/names";
import { pulumi, type Selection, selectionFlags } from "./pulumi";

/** Makes the key of the fingerprints by which a changed secret is noticed. @throws OpsError */
export async function makeIdentityKey({ project }: StackNames, selection: Selection): Promise<void> {
  const words = ["config", "set", `${project}:identityKey`, "--secret", ...selectionFlags(selection)];
  await pulumi(words, randomBytes(32).toString("hex"));
}
