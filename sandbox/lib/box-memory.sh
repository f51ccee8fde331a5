# shellcheck shell=sh
# What the box and all containers in it use of its memory, as the kernel counts it: usage and peak include the page
# cache, which builds fill up to the limit; the working set leaves out what can be dropped at once.

# memory [reset]
memory() {
  docker exec -i "$box_container" sh -s -- "${1-}" <<'END'
set -eu
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  dir=/sys/fs/cgroup inactive=inactive_file usage=memory.current limit=memory.max peak=memory.peak
else
  dir=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/1/cgroup)
  inactive=total_inactive_file usage=memory.usage_in_bytes limit=memory.limit_in_bytes peak=memory.max_usage_in_bytes
fi
mib() { echo "$1=$(($(cat "$dir/$2") / 1048576))"; }
if [ "$1" = reset ]; then echo 0 >"$dir/$peak"; fi
mib usage_mib "$usage"
droppable=$(sed -n "s/^$inactive //p" "$dir/memory.stat")
echo "working_set_mib=$((($(cat "$dir/$usage") - droppable) / 1048576))"
mib limit_mib "$limit"
mib peak_mib "$peak"
END
}
