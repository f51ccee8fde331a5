/** What makes the text of an error's trace: Node's Error, once source maps are read. */
export interface Tracer {
  prepareStackTrace?: ((error: Error, frames: NodeJS.CallSite[]) => unknown) | undefined;
}

/** A frame in a file that is in no package: `node_modules/@pulumi/resource.ts:1`. */
const WITHOUT_PACKAGE = /^( +at .*([/\\])node_modules[/\\](?:@[^/\\\n]+[/\\])?)(?=[^/\\\n]*$)/gm;

/**
 * Makes traces such that Node can colour them, as Pulumi has it do with every error that ends a program. Pulumi's source
 * maps name files that are in no package; each such frame keeps Node busy for half a minute, filling gigabytes
 * (https://github.com/nodejs/node/issues/64011): the user waits for the reason all the while, and a program whose
 * `pulumi` was killed goes on for nobody.
 */
export function makeTracesPrintable(tracer: Tracer = Error): void {
  const prepare = tracer.prepareStackTrace;
  // Without source maps there are no such files.
  if (prepare === undefined) return;
  const unread = process.env[LEAKS] === undefined;
  tracer.prepareStackTrace = (error, frames) =>
    unread && isMark(frames) ? NOT_RECORDED : printable(prepare(error, frames));
}

/** With this, Pulumi's SDK tells of each promise that nobody has waited for where it was made. */
const LEAKS = "PULUMI_DEBUG_PROMISE_LEAKS";
const NOT_RECORDED = `(set ${LEAKS} to have it recorded)`;

/**
 * Whether a trace is only kept for that: the SDK takes several of each resource, and looking all their lines up in source
 * maps was a tenth of the time of an `up` that changes nothing.
 */
function isMark(frames: readonly NodeJS.CallSite[]): boolean {
  return frames[0]?.getFunctionName() === "debuggablePromise";
}

/** The same paths, written so that there is a package's folder in each: `node_modules/@pulumi/./resource.ts:1`. */
function printable(trace: unknown): unknown {
  return typeof trace === "string" ? trace.replaceAll(WITHOUT_PACKAGE, "$1.$2") : trace;
}
