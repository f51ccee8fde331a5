# shellcheck shell=sh
# How much memory the host has and uses: its own, or that of a cgroup above us, when the host is a container.

# memory_now: sets total and used, KiB: the least of the machine's memory and of the cgroup limits above us. Used is
# without page cache that can be given back.
memory_now() {
  # shellcheck disable=SC2046 # two numbers
  set -- $(awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { print total, total - $2 }' /proc/meminfo)
  total=$1 used=$2
  for level in $(cgroup_levels); do
    limit=$(cat "$level/memory.max" "$level/memory.limit_in_bytes" 2>/dev/null | head -n 1)
    case $limit in '' | max) continue ;; esac
    # cgroup v1 writes "no limit" as a number of 19 digits, more than sh can divide everywhere
    [ ${#limit} -lt 16 ] || continue
    [ $((limit / 1024)) -lt "$total" ] || continue
    total=$((limit / 1024))
    used=$(use_of "$level")
  done
}

# use_of FOLDER: KiB that a cgroup uses, without page cache that can be given back.
use_of() {
  usage=$(cat "$1/memory.current" "$1/memory.usage_in_bytes" 2>/dev/null | head -n 1)
  # Version 1 has a cgroup's own share first, then the total with all below it.
  cache=$(awk '$1 ~ /^(total_)?inactive_file$/ { i = $2 } $1 ~ /^(total_)?active_file$/ { a = $2 } END { printf "%d\n", i + a }' "$1/memory.stat" 2>/dev/null)
  say $(((${usage:-0} - ${cache:-0}) / 1024))
}

# use_of_process PID: KiB of the cgroup that it is in: for a container's first process, the container's.
use_of_process() {
  for level in $(cgroup_levels "$1" | head -n 1); do use_of "$level"; done
}

# cgroup_levels [PID]: the folders of a process's memory cgroup and of all above it, innermost first.
cgroup_levels() {
  path=$(awk -F: '$2 == "memory" || $2 ~ /(^|,)memory(,|$)/ { print "memory" $3; exit }' "/proc/${1:-self}/cgroup" 2>/dev/null)
  if [ -z "$path" ]; then
    path=$(awk -F: '$1 == "0" { print $3; exit }' "/proc/${1:-self}/cgroup" 2>/dev/null)
    path=${path#/}
  fi
  while :; do
    folder=/sys/fs/cgroup${path:+/$path}
    [ -f "$folder/memory.stat" ] && say "$folder"
    # The last is the root: a machine's has no limit, a container's may have one.
    case $path in */*) path=${path%/*} ;; '') return ;; *) path='' ;; esac
  done
}

# memory_facts: what a plan must know, KiB. Of others' containers it tells what they may still grow by: they were
# promised it as ours were.
memory_facts() {
  memory_now
  say "memory $total $used"
  running_containers | {
    ours=0 promised=0
    while read -r _ pid limit stack _; do
      use=$(use_of_process "$pid")
      if [ "$stack" = "${label#*=}" ]; then
        ours=$((ours + ${use:-0}))
      elif [ "$limit" -gt 0 ]; then
        limit=$((limit / 1024))
        [ "$limit" -le "$total" ] || limit=$total
        [ "${use:-0}" -ge "$limit" ] || promised=$((promised + limit - ${use:-0}))
      fi
    done
    say "ours $ours"
    say "promised $promised"
  }
}

# running_containers: a line each: NAME PID LIMIT STACK KEY; the limit in bytes, 0 is none; - for no stack and no key.
running_containers() {
  docker ps -q | docker_each inspect -f '{{.Name}} {{.State.Pid}} {{.HostConfig.Memory}} {{or (index .Config.Labels "deploy.stack") "-"}} {{or (index .Config.Labels "deploy.key") "-"}}' 2>/dev/null
}

# sample: the memory in use three times a second, KiB a line, until nobody reads it any more; an hour at most.
sample() {
  sample_end=$(($(now) + 360000))
  while [ "$(now)" -lt $sample_end ]; do
    memory_now
    say "$used" || return 0
    rest 0.3
  done
}
