# shellcheck shell=sh
# What the box and all containers in it use of its memory, as the kernel counts it.

# memory [reset]
memory() {
  docker exec -i "$box_container" sh -s -- "${1-}" <<'END'
set -eu
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  dir=/sys/fs/cgroup usage=memory.current limit=memory.max peak=memory.peak
else
  dir=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/1/cgroup)
  usage=memory.usage_in_bytes limit=memory.limit_in_bytes peak=memory.max_usage_in_bytes
fi
mib() { echo "$1=$(($(cat "$dir/$2") / 1048576))"; }
if [ "$1" = reset ]; then echo 0 >"$dir/$peak"; fi
mib usage_mib "$usage"
mib limit_mib "$limit"
mib peak_mib "$peak"
END
}
