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
  if own_host && settle && own_containers && perform; then outcome=0; else outcome=1; fi
  rm -f "$state/holder"
  prune_runs
  # Free before the caller knows the result: whoever it tells may come at once.
  exec 9>&-
  echo $outcome | replace_file "$run/result" 2>/dev/null
  return $outcome
}

take_lock() {
  flock -n 9 && return
  say "waiting for another release: $(cat "$state/holder" 2>/dev/null)"
  lock_within "$(payload_value wait)" && return
  say "another release is still at work: $(cat "$state/holder" 2>/dev/null)"
  say "Nothing was changed. Run 'pulumi up' again when it is done."
  return 1
}

# An open journal is a run that ended in the middle: killed, or the machine went down.
settle() {
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

perform() {
  # The verbs come from a file, not a pipe: they must run in this very shell.
  if ! { keep_before && payload_lines "do" >"$run/verbs" && remember_objects && open_journal; }; then
    say "cannot write $state on the host: is its disk full? Nothing was changed."
    return 1
  fi
  step=0
  while read -r verb arguments <&3; do
    step=$((step + 1))
    began=$(now)
    # shellcheck disable=SC2086 # the arguments are plain words
    if journal_begin "$step $verb $arguments" && "do_$verb" $arguments; then
      say "done $step $verb $arguments" >>"$state/journal"
      announce "$verb" "$arguments" "$(seconds_since "$began")"
    elif journal_committed; then
      # What serves is new and proven. What could not be tidied is swept by the next run.
      say "could not tidy up ($verb $arguments); the next 'pulumi up' will"
    else
      say "FAILED: $verb $arguments"
      take_back "$run"
      tell_what_serves
      return 1
    fi
  done 3<"$run/verbs"
  rm -f "$state/journal"
}

# take_back RUN: undoes what the journal shows as begun, last first; then waits until all that served is healthy.
take_back() {
  say "taking the release back"
  reached=$run
  run=$1
  patience=$(($(now) + 6000))
  sed -n 's/^begin //p' "$state/journal" | sed '1!G;h;$!d' >"$reached/undo"
  while read -r step verb arguments <&4; do
    await_engine
    # shellcheck disable=SC2086 # the arguments are plain words
    "undo_$verb" $arguments || say "could not undo $verb $arguments"
  done 4<"$reached/undo"
  run=$reached
  rm -f "$state/journal"
  restored=0
  for key in $(serving_keys); do
    load_object "$key" || continue
    docker start "$id" >/dev/null 2>&1
    await_healthy "$key" || restored=1
  done
  return $restored
}

# An engine that is being restarted fails a verb; the undo must not fail for the same reason. At most a minute in all.
await_engine() {
  until docker version >/dev/null 2>&1; do
    [ "$(now)" -lt "$patience" ] || return 0
    rest 1
  done
}

# The containers that run when all is well: one-off migrations have ended.
serving_keys() { awk '$1 == "object" && $4 != "migrate" { print $2 }' "$state/current" 2>/dev/null; }

tell_what_serves() {
  if [ -s "$state/current" ]; then
    if [ "${restored:-0}" = 0 ]; then
      say "release $(sed -n 's/^release //p' "$state/current") serves, as before: $(serving_keys | tr '\n' ' ')"
    else
      say "NOT HEALTHY after the undo: $(serving_keys | tr '\n' ' '): see 'docker ps -a' and 'docker logs' on the host"
    fi
  else
    say "nothing serves yet: this was the first release"
  fi
  say "Nothing of the new release serves. Correct its cause and run 'pulumi up' again, or revert the change."
}

# What served before this run: verbs after `record` still have to find what they tidy away.
keep_before() { [ ! -f "$state/current" ] || cp "$state/current" "$run/before"; }

open_journal() { say "run $run" | replace_file "$state/journal"; }

# journal_begin STEP VERB ARGUMENTS: no verb is done that the journal does not know.
journal_begin() { say "begin $*" >>"$state/journal"; }

# Every container and image of this release, with how often it was made: facts.sh finds by it what is gone.
remember_objects() {
  {
    cat "$state/seen" 2>/dev/null
    payload_lines seen
  } | replace_file "$state/seen"
}

# announce VERB ARGUMENTS SECONDS: a line a step, for whoever watches.
announce() {
  case $1 in
    hold | stage | route | site) say "$(payload_value "label-$2") ($3 s)" ;;
    remove | sweep | record | password | shelter | promote) ;;
    smoke) say "smoke test of the $2 release passed ($3 s)" ;;
    start) say "$2 started ($3 s)" ;;
    healthy) say "$2 healthy ($3 s)" ;;
    observe) say "the new release stays healthy ($3 s)" ;;
    backup) say "database dumped ($3 s)" ;;
    drain) say "$2 drained ($3 s)" ;;
    stop) say "$2 stopped ($3 s)" ;;
    migrate) say "$2 done ($3 s)" ;;
    *) say "$1 $2 ($3 s)" ;;
  esac
}

prune_runs() {
  # shellcheck disable=SC2012 # our own names, no surprises
  ls -1t "$state/runs" | tail -n +11 | while read -r old; do rm -rf "${state:?}/runs/$old"; done
}
