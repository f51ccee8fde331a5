import * as pulumi from "@pulumi/pulumi";

/** With this exit code a program says that the user has been told already (@pulumi/pulumi/cmd/run). */
const TOLD = 32;

/**
 * Runs the program, and ends it here when it tells the user why it cannot go on. Left to the SDK, a promise that is
 * still open is rejected as soon as the engine has gone, and Node 20 formats that error for minutes (its
 * `markNodeModules` does not end).
 *
 * @param tell is given what ended it; it must not throw
 */
export async function untilTold<T>(
  program: () => Promise<T>,
  tell: (problem: string) => Promise<void>,
): Promise<T> {
  try {
    return await program();
  } catch (error) {
    if (!pulumi.RunError.isInstance(error)) {
      await tell(String(error));
      throw error;
    }
    await pulumi.log.error(error.message);
    await tell(error.message);
    process.exit(TOLD);
  }
}

/**
 * Has a resource that fails in an `up` tell so: whichever it is, and before the engine ends the run. The hook takes part
 * in nothing else: it never asks for another try.
 *
 * @param tell is given the resource's error; it must not throw
 */
export function whenResourceFails(tell: (problem: string) => Promise<void>): void {
  if (pulumi.runtime.isDryRun()) return;
  const hook = new pulumi.ErrorHook("tell-failure", async ({ name, errors }) => {
    await tell(`${name}: ${errors[0] ?? "failed"}`);
    return false;
  });
  // Ctrl-C goes to the engine too, which ends this process in the end; until then a hook must answer, or its error would
  // stand where the resource's own belongs.
  process.on("SIGINT", () => undefined);
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({
    props,
    opts: pulumi.mergeOptions(opts, { hooks: { onError: [hook] } }),
  }));
}
