# shellcheck shell=sh
# The runner: does the plan's verbs in order, and takes them back in reverse at the first failure.
#
#   lock -> is it ours? -> settle what an earlier run left -> for each verb: journal, do, journal -> result
#                                               \-> failure: undo in reverse, say what serves
#
# It is detached from whoever started it: a cut connection or a killed pulumi changes nothing.

run_plan() {
  run=$1
  if ! { state_dir && payload >"$run/plan"; }; then
    say "Nothing was changed."
    echo 1 >"$run/result"
    return 1
  fi
  plan=$run/plan
  echo $$ >"$run/pid"
  exec 9>>"$state/lock"
  if ! take_lock; then
    echo 1 | replace_file "$run/result"
    return 1
  fi
  say "$(payload_value holder), since $(date '+%F %T %Z')" >"$state/holder"
  if own_host && settle && is_current && own_containers && open_entry && perform; then outcome=0; else outcome=1; fi
  if [ -n "${number:-}" ]; then
    met_end
    [ $outcome != 0 ] || { met_in_words && over_budget; }
    if [ $outcome = 0 ]; then
      # The engine may have been away at that moment.
      [ -s "$run/used" ] || remember_used
      close_entry "$number" "done"
    else
      close_entry "$number" failed
    fi
    [ $outcome != 0 ] || say "this is release $number"
  else
    log_line "a deploy by $(payload_value by) was refused: $(first_line "$(sed '/^waiting for another release/d' "$run/log")")"
  fi
  rm -f "$state/holder" "$run/reserve"
  prune_runs
  prune_ledger
  # Free before the caller knows the result: whoever it tells may come at once.
  exec 9>&-
  echo $outcome | replace_file "$run/result" 2>/dev/null
  return $outcome
}

take_lock() {
  flock -n 9 && return
  say "waiting for another release: $(at_work)"
  lock_within "$(payload_value wait)" && return
  say "another release is still at work: $(at_work)"
  log_line "a deploy by $(payload_value by) was refused: another one is at work"
  say "Nothing was changed. Run 'pulumi up' again when it is done."
  return 1
}

# A plan holds for what served when it was made. Whoever had to wait for the lock may find another release.
is_current() {
  serving=$(awk '$1 == "release" { r = $2 } $1 == "epoch" { e = $2 } END { print (r == "" ? "none" : r), e + 0 }' \
    "$state/current" 2>/dev/null)
  [ "${serving:-none 0}" != "$(payload_value base)" ] || return 0
  say "another release was made after this one was planned: now ${serving% *} serves. Nothing was changed."
  say "Run 'pulumi up' again: it plans from what serves now."
  return 1
}

perform() {
  # The verbs come from a file, not a pipe: they must run in this very shell.
  if ! { keep_reserve && keep_before && payload_lines "do" >"$run/verbs" && remember_objects && open_journal; }; then
    say "cannot write $state on the host: is its disk full? Nothing was changed."
    return 1
  fi
  if ! admit_all; then
    say "Nothing was changed."
    rm -f "$state/journal"
    return 1
  fi
  # Pulumi shows it when the connection does break off.
  if [ -n "${SSH_CONNECTION:-}" ]; then
    say "at work; if the connection breaks off, the release goes on here: then run 'pulumi up' again"
  fi
  met_begin
  step=0
  while read -r verb arguments <&3; do
    [ "$verb" != record ] || met_keep
    step=$((step + 1))
    began=$(now)
    said=$(wc -c <"$run/log")
    # shellcheck disable=SC2086 # the arguments are plain words
    if journal_begin "$step $verb $arguments" && "do_$verb" $arguments; then
      say "done $step $verb $arguments" >>"$state/journal"
      spent_on_step=$(seconds_since "$began")
      say "step $spent_on_step $verb $arguments" >>"$run/steps"
      announce "$verb" "$arguments" "$spent_on_step"
      [ "$verb" != route ] || met_route
    elif journal_committed; then
      # What serves is new and proven. What could not be tidied is swept by the next run.
      say "could not tidy up ($verb $arguments); the next 'pulumi up' will"
      patience=$(($(now) + 6000))
      # shellcheck disable=SC2046 # plain words
      wake $(serving_keys)
    else
      use_reserve
      say "FAILED: $verb $arguments"
      keep_reason "$said"
      take_back "$run"
      met_end
      met_in_words
      tell_what_serves
      return 1
    fi
  done 3<"$run/verbs"
  rm -f "$state/journal"
}
