# shellcheck shell=sh
# Memory, counted again at the moment itself: the plan was made from what the host told some minutes ago, and others
# use it too. The plan says what must be free for each start (need KEY MIB); what is free is the machine's memory less
# what is in use now, less what those that this run has started may still grow by.

# admit KEY: whether it may be started now; says who has the memory if not. Starts that undo something ask nobody.
admit() {
  need=$(payload_value "need $1")
  [ -n "$need" ] || return 0
  count_memory
  sed -n 's/^done [0-9]* start //p' "$state/journal" >"$run/started"
  while read -r other; do
    promise=$(payload_value "need $other")
    [ -n "$promise" ] || continue
    use=$(use_of_key "$other")
    [ $((promise * 1024)) -le "${use:-0}" ] || free=$((free - promise * 1024 + ${use:-0}))
  done <"$run/started"
  enough "$1" $free
}

# admit_all: the whole release in advance, before it changes anything: what it stops gives back what it uses, what it
# starts takes all that it may.
admit_all() {
  [ -n "$(payload_lines need | head -n 1)" ] || return 0
  count_memory
  while read -r verb key _; do
    case $verb in
      stop)
        use=$(use_of_key "$key")
        free=$((free + ${use:-0}))
        ;;
      start | migrate)
        need=$(payload_value "need $key")
        [ -n "$need" ] || continue
        enough "$key" $free || return 1
        [ "$verb" = migrate ] || free=$((free - need * 1024))
        ;;
    esac
  done <"$run/verbs"
}

# enough KEY KIB: is that as much as it needs?
enough() {
  [ "$2" -lt $((need * 1024)) ] || return 0
  free_mib=$(($2 / 1024))
  [ $free_mib -ge 0 ] || free_mib=0
  say "the host has too little memory for $1 just now: it may take $need MiB, $free_mib of $((total / 1024)) MiB are free ($((need - free_mib)) MiB too little)"
  say "  most is used by: $(most_used)"
  say "  Stop what is not needed on the host, or lower a memory limit; then run 'pulumi up' again."
  return 1
}

# count_memory: sets free, KiB, and keeps in the run what runs at this moment.
count_memory() {
  memory_now
  free=$((total - used))
  running_containers >"$run/containers"
}

# use_of_key KEY: KiB that its container uses now; nothing when it does not run.
use_of_key() {
  stack=$(payload_value label)
  awk -v key="$1" -v stack="${stack#*=}" '$5 == key && $4 == stack { print $2 }' "$run/containers" |
    while read -r pid; do use_of_process "$pid"; done
}

# most_used: the three that use the most: containers, and processes outside of them by their name.
most_used() {
  {
    while read -r name pid _ _ key; do
      case $key in -) who="container ${name#/}" ;; *) who=$key ;; esac
      say "$(use_of_process "$pid") $who"
    done <"$run/containers"
    for process in /proc/[0-9]*; do
      sed "s|^|${process#/proc/} |" "$process/cgroup" "$process/status" 2>/dev/null
    done | awk -v containers="$(cut -d' ' -f2 "$run/containers" | tr '\n' ' ')" '
      $2 ~ /^0::/ && !($1 in group) { group[$1] = $2 }
      $2 ~ /^[0-9]+:([^:]*,)?memory(,[^:]*)?:/ { group[$1] = $2 }
      $2 == "Name:" { name[$1] = $3 }
      $2 == "VmRSS:" { used[$1] = $3 }
      END {
        n = split(containers, pid, " ")
        for (i = 1; i <= n; i++) counted[group[pid[i]]] = 1
        for (one in used) if (!(group[one] in counted)) sum[name[one]] += used[one]
        for (one in sum) print sum[one], one
      }'
  } | sort -rn | head -n 3 | awk '{ kib = $1; sub(/^[^ ]* /, ""); printf "%s%s %d MiB", sep, $0, kib / 1024; sep = ", " }'
}
