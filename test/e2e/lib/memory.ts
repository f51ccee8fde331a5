import { expect } from "vitest";
import type { Host } from "./host";

/** What the kernel says of the box's memory, all its containers included. */

/** Sets dir, the box's own memory cgroup, as version 1 or 2 has it. */
const OWN = `if [ -f /sys/fs/cgroup/cgroup.controllers ]; then dir=/sys/fs/cgroup; else dir=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/1/cgroup); fi`;

/** How many processes the kernel has killed for memory below the box since it was switched on. */
export async function oomKills(host: Host): Promise<number> {
  const counted = await host.sh(
    `${OWN}; find "$dir" -name memory.oom_control -o -name memory.events | xargs sed -n 's/^oom_kill //p' | awk '{ n += $1 } END { print n + 0 }'`,
  );
  return Number(counted);
}

/** MiB that nothing uses, page cache counted as free. */
export async function freeMemory(host: Host): Promise<number> {
  const free = await host.sh(
    `${OWN}; limit=$(cat "$dir/memory.limit_in_bytes" "$dir/memory.max" 2>/dev/null); used=$(cat "$dir/memory.usage_in_bytes" "$dir/memory.current" 2>/dev/null); ` +
      `awk -v free=$((limit - used)) '$1 ~ /^(total_)?inactive_file$/ { i = $2 } $1 ~ /^(total_)?active_file$/ { a = $2 } END { print int((free + i + a) / 1048576) }' "$dir/memory.stat"`,
  );
  return Number(free);
}

/** No container of the stack was killed for memory, or restarted. */
export async function expectNobodyKilled(host: Host, stack: string, killsBefore: number): Promise<void> {
  expect(await oomKills(host), "processes killed for memory").toBe(killsBefore);
  const states = await host.sh(
    `docker ps -aq --filter label=deploy.stack=${stack} | xargs docker inspect -f '{{.Name}} {{.State.OOMKilled}} {{.RestartCount}}'`,
  );
  expect(states.split("\n").filter((line) => !line.endsWith(" false 0"))).toEqual([]);
}
