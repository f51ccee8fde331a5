import * as pulumi from "@pulumi/pulumi";

/**
 * Has the program itself tell why it cannot go on: a refusal, or a bug.
 *
 * @param tell is given what ended it; it must not throw
 */
export async function whenProgramFails<T>(
  program: () => Promise<T>,
  tell: (problem: string) => Promise<void>,
): Promise<T> {
  try {
    return await program();
  } catch (error) {
    await tell(pulumi.RunError.isInstance(error) ? error.message : String(error));
    throw error;
  }
}

export interface FailedResource {
  readonly name: string;
  readonly type: string;
}

/**
 * Has a resource that fails in an `up` tell so: whichever it is, and before the engine ends the run. The hook takes part
 * in nothing else: it never asks for another try.
 *
 * @param tell is given the resource's error and which it is; it must not throw
 */
export function whenResourceFails(tell: (problem: string, resource: FailedResource) => Promise<void>): void {
  if (pulumi.runtime.isDryRun()) return;
  const hook = new pulumi.ErrorHook("tell-failure", async ({ name, type, errors }) => {
    await tell(`${name}: ${errors[0] ?? "failed"}`, { name, type });
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
