import * as pulumi from "@pulumi/pulumi";

/**
 * The value of an output while the program runs, or undefined when only the update will make it: in a preview of what
 * is not there yet. (`apply` alone would never come back then.) So the program can ask its own state.
 */
export async function ifKnown<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  // Outputs have it, their types keep it back. Without it a preview knows less, and an update all the same.
  const known = !pulumi.runtime.isDryRun() || (await (Reflect.get(output, "isKnown") as unknown)) === true;
  return known ? new Promise((resolve) => output.apply(resolve)) : undefined;
}
