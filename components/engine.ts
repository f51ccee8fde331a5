import * as pulumi from "@pulumi/pulumi";

/** With this exit code a program says that the user has been told already (@pulumi/pulumi/cmd/run). */
const TOLD = 32;

/**
 * Runs the program, and ends it here when it tells the user why it cannot go on. Left to the SDK, a promise that is
 * still open is rejected as soon as the engine has gone, and Node 20 formats that error for minutes (its
 * `markNodeModules` does not end).
 */
export async function untilTold<T>(program: () => Promise<T>): Promise<T> {
  try {
    return await program();
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) throw error;
    await pulumi.log.error(error.message);
    process.exit(TOLD);
  }
}
