import { suggestion } from "../plan/config/errors";
import type { Facts } from "../plan/found/facts";
import type { Current } from "../plan/found/record";
import { serves } from "../plan/wanted/container";
import { OpsError } from "./errors";

/** The container that serves under a service's name, as the last release recorded it. @throws OpsError */
export function servingContainer({ current }: Facts, service: string): Current["objects"][number] {
  const objects = (current?.objects ?? []).filter(({ role }) => serves(role));
  const found = objects.find((one) => one.service === service);
  if (found !== undefined) return found;
  if (objects.length === 0) throw new OpsError("nothing serves yet: run pulumi up first");
  const known = objects.map((one) => one.service);
  throw new OpsError(`there is no service ${JSON.stringify(service)}${suggestion(service, known)}`);
}
