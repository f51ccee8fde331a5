import { z } from "zod";
import type { Host } from "../../test/e2e/lib/host";

const FILE = "/run/bench-peak";

/**
 * Until it is told, ten minutes at most: five times a second, what the box uses, page cache not counted, in one shell that starts
 * nothing but `sleep`. The most of it is in the file.
 */
const SAMPLER = `
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  dir=/sys/fs/cgroup usage=memory.current total=
else
  dir=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/1/cgroup) usage=memory.usage_in_bytes total=total_
fi
most=0
times=0
while [ ! -e ${FILE}.stop ] && [ $((times += 1)) -lt 3000 ]; do
  read -r used <$dir/$usage
  while read -r name value; do
    case $name in "\${total}inactive_file" | "\${total}active_file") used=$((used - value)) ;; esac
  done <$dir/memory.stat
  [ "$used" -le "$most" ] || { most=$used; echo "$most" >${FILE}.new; mv ${FILE}.new ${FILE}; }
  sleep .2
done`;

/** MiB that the box had in use at most, from the start until it is told. */
export async function peakOf<T>(host: Host, work: () => Promise<T>): Promise<[T, number]> {
  const quoted = SAMPLER.replaceAll("'", `'\\''`);
  await host.sh(
    `rm -f ${FILE} ${FILE}.stop; nohup sh -c '${quoted}' >/dev/null 2>&1 & while [ ! -s ${FILE} ]; do sleep .05; done`,
  );
  try {
    const result = await work();
    const bytes = z.coerce
      .number()
      .positive()
      .parse(await host.sh(`cat ${FILE}`));
    return [result, Math.round(bytes / 1048576)];
  } finally {
    await host.sh(`touch ${FILE}.stop`);
  }
}
