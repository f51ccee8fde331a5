import { type ServiceConfig, USUAL_CAPABILITIES } from "../config/schema";

/** Whom a container runs as, and what it may do. */

/** What a service gets whose image would run as root. */
export const PLAIN_USER = "1000:1000";

export function hardening({ security }: ServiceConfig) {
  return {
    user: security.user,
    readOnly: security.readOnly,
    capabilities: [...security.capabilities].sort(),
    newPrivileges: security.newPrivileges,
    tmpfs: security.tmpfs,
  };
}

/**
 * What Docker is told.
 *
 * @param wanted `auto`: as the image says, but not root; `postgres`: the same for a database; `image`: as the image says;
 *   else a user by number
 * @param ofImage what the image says; empty is root
 * @returns empty: as the image says
 */
export function userOf(wanted: string, ofImage: string): string {
  switch (wanted) {
    case "image":
      return "";
    case "auto":
      return isRoot(ofImage) ? PLAIN_USER : "";
    case "postgres":
      return isRoot(ofImage) ? wanted : "";
    default:
      return wanted;
  }
}

/** Whether it depends on the image. */
export function asksImage(wanted: string): boolean {
  return wanted === "auto" || wanted === "postgres";
}

function isRoot(user: string): boolean {
  return user === "" || /^(0+|root)(:|$)/.test(user);
}

/**
 * Whom a service will run as, and why, for the plan.
 *
 * @param ofImage undefined: it is not there yet
 */
export function runsAs(wanted: string, ofImage: string | undefined): string {
  if (!asksImage(wanted) && wanted !== "image") return `${wanted} (security.user)`;
  if (ofImage === undefined)
    return wanted === "image"
      ? "whom its image names"
      : `whom its image names, or ${PLAIN_USER} where that is root`;
  const said = ofImage === "" ? "root" : ofImage;
  const user = userOf(wanted, ofImage);
  return user === "" ? `${said} (its image says so)` : `${user} (its image would be ${said})`;
}

/** Where a service's security is relaxed, in words, for the plan. */
export function relaxations({ security }: ServiceConfig): string[] {
  const kept = [...security.capabilities].sort();
  const usual = kept.join() === USUAL_CAPABILITIES.join();
  return [
    ...(/^0+(:|$)/.test(security.user) ? ["runs as root"] : []),
    ...(security.user === "image" ? ["runs as whomever its image says, root too"] : []),
    ...(security.readOnly ? [] : ["may write to its root file system"]),
    ...(kept.length > 0
      ? [`keeps ${usual ? "the capabilities that Docker leaves to any" : kept.join(", ")}`]
      : []),
    ...(security.newPrivileges ? ["may gain privileges"] : []),
  ];
}
