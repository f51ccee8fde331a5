# shellcheck shell=sh
# Tells, in one round trip and without changing anything, what a plan must know of the host. Read by plan/facts.ts.

facts() {
  label=$(payload_value label)
  state=$(payload_value state)
  if ! server=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}} {{.Server.Version}}' 2>&1); then
    say "error no Docker engine answers on the host: $(say "$server" | tail -n 1)"
    return
  fi
  say "engine $server"
  for tool in flock setsid base64; do
    command -v $tool >/dev/null || say "error the host lacks the command $tool (Debian: apt-get install util-linux coreutils)"
  done
  if [ "$(payload_value wait)" -gt 0 ]; then wait_for_runner; fi
  runner_active && say "active $(at_work)"
  if [ -s "$state/journal" ]; then say "interrupted"; fi
  memory_facts
  docker ps -a --no-trunc --filter "label=$label" \
    --format 'container {{.ID}} {{.Label "deploy.key"}} {{.Label "deploy.role"}} {{.State}}'
  docker images --format 'image {{.Repository}}:{{.Tag}}' "$(payload_value images)/*"
  if [ -d "$state" ]; then
    sed 's/^/seen /' "$state/seen" 2>/dev/null
    sed 's/^/current /' "$state/current" 2>/dev/null
  fi
  say "end"
}

runner_active() {
  [ -f "$state/lock" ] || return 1
  ! (flock -n 9) 9>>"$state/lock" 2>/dev/null
}

# A real `up` plans from what a release in progress will have left. Bounded by the configured time.
wait_for_runner() {
  end=$(($(now) + $(payload_value wait) * 100))
  while runner_active && [ "$(now)" -lt $end ]; do rest 0.2; done
}

# memory TOTAL USED: KiB. The least of the machine's memory and of the cgroup limits above us; used is without
# page cache that can be given back.
memory_facts() {
  total=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
  available=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  used=$((total - available))
  for level in $(cgroup_levels); do
    limit=$(cat "$level/memory.max" "$level/memory.limit_in_bytes" 2>/dev/null | head -n 1)
    case $limit in '' | max) continue ;; esac
    # cgroup v1 writes "no limit" as a number of 19 digits, more than sh can divide everywhere
    [ ${#limit} -lt 16 ] || continue
    [ $((limit / 1024)) -lt "$total" ] || continue
    total=$((limit / 1024))
    usage=$(cat "$level/memory.current" "$level/memory.usage_in_bytes" 2>/dev/null | head -n 1)
    cache=$(awk '$1 == "total_inactive_file" || $1 == "inactive_file" { c = $2 } END { print c + 0 }' "$level/memory.stat")
    used=$(((usage - cache) / 1024))
  done
  say "memory $total $used"
  # What our own containers use, to tell it from what others on the host use.
  ours=0
  for process in $(docker ps -q --filter "label=$label" | xargs -r docker inspect -f '{{.State.Pid}}' 2>/dev/null); do
    for level in $(cgroup_levels "$process" | head -n 1); do
      usage=$(cat "$level/memory.current" "$level/memory.usage_in_bytes" 2>/dev/null | head -n 1)
      cache=$(awk '$1 == "total_inactive_file" || $1 == "inactive_file" { c = $2 } END { print c + 0 }' "$level/memory.stat" 2>/dev/null)
      ours=$((ours + (${usage:-0} - ${cache:-0}) / 1024))
    done
  done
  say "ours $ours"
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
