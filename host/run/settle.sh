# shellcheck shell=sh
# What an earlier run left in the middle: taken back or tidied, by the next run or by the guard of one that was killed.

# An open journal is a run that ended in the middle: killed, or the machine went down.
settle() {
  settle_journal
  settled=$?
  close_left_entries
  return $settled
}

settle_journal() {
  journal_open || return 0
  if journal_committed; then
    say "an earlier release was interrupted after it had succeeded: tidying up"
  else
    say "an earlier release was interrupted: taking it back"
    if ! take_back "$(sed -n 's/^run //p' "$state/journal")"; then
      tell_what_serves
      return 1
    fi
  fi
  rm -f "$state/journal"
}

# recover RUN: what the next run would do first, done at once because this run's runner was killed.
recover() {
  run=$1
  plan=$run/plan
  await_leftovers
  state_dir || return 1
  exec 9>>"$state/lock"
  # Whoever has it by now puts right what was left, as its first step.
  lock_within 60 || return 1
  if ! journal_open; then
    # It had done all but say so.
    close_left_entries
  elif journal_committed; then
    settle && say "$(what_serves). Run 'pulumi up' again: it tidies up."
  else
    settle && tell_what_serves
  fi
  rm -f "$state/holder"
  exec 9>&-
}

# A call to the engine that the killed runner had begun goes on without it: a `docker stop` would stop what was just
# started again. All it started is of this session. At most 15 seconds: what hangs longer is not waited for.
await_leftovers() {
  until_then=$(($(now) + 1500))
  while leftover && [ "$(now)" -lt $until_then ]; do rest 0.1; done
}

# Whether a process of this session runs besides this one.
leftover() {
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    # PID (NAME) STATE PARENT GROUP SESSION ...; a name may hold blanks.
    # shellcheck disable=SC2086 # plain words
    set -- ${line##*) }
    [ "$4" = $$ ] && [ "$1" != Z ] && [ "$stat" != "/proc/$$/stat" ] && return 0
  done
  return 1
}
