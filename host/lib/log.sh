# shellcheck shell=sh
# The deploy log: a line for each release that begins, ends, fails, is taken back; for people, and in the order in which
# it happened. All stacks of a project share one file.

# MiB after which a new file is begun, and how many old ones stay.
log_size=1
log_files=4

# log_line TEXT: never a reason to fail.
log_line() {
  log=$(payload_value log)
  [ -n "$log" ] || return 0
  stack=$(payload_value label)
  # One writer at a time: two stacks of one project may deploy at once, and one of them may be turning the files over.
  if ! (
    exec 8>>"$log" && timeout 5 flock 8 && turn_log_over
    say "$(date '+%F %T %Z') ${stack#*=} $*" >>"$log"
  ) 9>&- 2>/dev/null; then
    [ -n "${log_complained:-}" ] || say "cannot write the deploy log $log on the host as user $(id -un): create it for this user, or set host.log"
    log_complained=yes
  fi
}

turn_log_over() {
  size=0
  if [ -f "$log" ]; then size=$(wc -c <"$log"); fi
  [ "$size" -ge $((log_size * 1024 * 1024)) ] || return 0
  older=$log_files
  while [ "$older" -gt 1 ]; do
    if [ -f "$log.$((older - 1))" ]; then mv "$log.$((older - 1))" "$log.$older"; fi
    older=$((older - 1))
  done
  mv "$log" "$log.1" || cut_log
}

# Its folder is not this user's, only the file is: the newer half stays in it, in whole lines.
cut_log() {
  newer=$(tail -c $((log_size * 512 * 1024)) "$log" | sed 1d)
  [ -z "$newer" ] || say "$newer" >"$log"
}

# first_line TEXT: of a reason of many lines, for a log of one line each.
first_line() { printf '%s\n' "$1" | sed -n '/[^ ]/{s/^ *//;p;q;}'; }
