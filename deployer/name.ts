import { hostname, userInfo } from "node:os";

/** Who is named to others: user@machine. */
export function deployer(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // In a container, a user may have no name.
    return `user ${process.getuid?.() ?? ""}@${hostname()}`;
  }
}
