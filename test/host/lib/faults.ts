import type { Step } from "../../../plan/release/plan";
import type { Fault } from "./world";

/**
 * The fault that makes a plan's step fail once, or undefined for one that cannot fail: drain and rejoin only wait.
 *
 * @param requests how many requests a smoke test has
 * @param proxyRuns whether a proxy runs when the release begins
 */
export function faultIn(
  steps: readonly Step[],
  index: number,
  requests: number,
  proxyRuns: boolean,
): Fault | undefined {
  const step = steps[index];
  if (step === undefined) return undefined;
  const [what = "", other] = step.arguments;
  const before = steps.slice(0, index);
  const count = (...verbs: string[]): number => before.filter(({ verb }) => verbs.includes(verb)).length;
  // In an exchange of the proxy the site is installed while none runs.
  const stopped = steps.findIndex(
    ({ verb, arguments: [key = ""] }) => verb === "stop" && /^proxy-/.test(key),
  );
  const reads = (at: number): boolean => proxyRuns && (stopped < 0 || at < stopped);
  const fail = (call: string, words: string, at = 1): Fault => ({ call, at, happens: "fail", words });
  switch (step.verb) {
    case "start":
    case "migrate":
      return fail(`start ${what}`, "failed to create task for container");
    case "stop":
      return fail(`stop ${what}`, "tried to kill container, but did not receive an exit event");
    case "healthy":
      return fail(pollOf(what), "OCI runtime exec failed: exec failed");
    case "rehearse":
      return fail(`rehearse ${what}`, "nginx: [emerg] no module");
    case "site":
      return reads(index)
        ? fail("exec * nginx -t*", "nginx: [emerg] no")
        : fail("cp nginx.conf", "no space left on device");
    case "hold":
    case "stage":
    case "route":
      // The site installs the routes too, when a proxy reads them.
      return fail(
        "write routes.json",
        "no space left on device",
        1 +
          count("hold", "stage", "route") +
          before.filter(({ verb }, at) => verb === "site" && reads(at)).length,
      );
    case "smoke":
      return fail("smoke *", "OCI runtime exec failed: exec failed", 1 + requests * count("smoke"));
    case "password":
      return fail(`password ${what}`, "psql: error: connection refused");
    case "remove":
      return fail(`rm ${what}`, "driver failed to remove root filesystem");
    case "backup":
      return fail(`dump ${what}`, "pg_dump: error: connection refused");
    case "shelter":
      // One that is its own successor has its policy already.
      return other === undefined ? undefined : fail(`policy ${other} no`, "context deadline exceeded");
    case "promote":
      return other === what ? undefined : fail(`policy ${what} always`, "context deadline exceeded");
    case "observe": {
      // Its last look, after all that the steps before it have asked.
      const [, key = ""] = step.arguments;
      const asked = before.filter(({ verb, arguments: [one] }) => verb === "healthy" && one === key).length;
      return fail(pollOf(key), "OCI runtime exec failed: exec failed", asked + 1);
    }
    case "attach":
      return fail(`connect ${what}*`, "network sandbox join failed");
    case "limit":
      return fail(`limit ${what} *`, "context deadline exceeded");
    case "revive":
      return fail(`restart ${what}`, "context deadline exceeded");
    case "drain":
    case "rejoin":
      return undefined;
    default:
      throw new Error(`no fault is known for the verb ${step.verb}`);
  }
}

/** Who is asked whether a container is healthy: itself, or the proxy over HTTP. */
function pollOf(key: string): string {
  return /^(api|web|shop)-/.test(key) ? `poll * http://${key}:*` : `poll ${key} *`;
}
