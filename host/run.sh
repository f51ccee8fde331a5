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

# A plan holds for what served when it was made. Whoever had to wait for the lock may find another release.
is_current() {
  serving=$(awk '$1 == "release" { r = $2 } $1 == "epoch" { e = $2 } END { print (r == "" ? "none" : r), e + 0 }' \
    "$state/current" 2>/dev/null)
  [ "${serving:-none 0}" != "$(payload_value base)" ] || return 0
  say "another release was made after this one was planned: now ${serving% *} serves. Nothing was changed."
  say "Run 'pulumi up' again: it plans from what serves now."
  return 1
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
  step=0
  while read -r verb arguments <&3; do
    step=$((step + 1))
    began=$(now)
    said=$(wc -c <"$run/log")
    # shellcheck disable=SC2086 # the arguments are plain words
    if journal_begin "$step $verb $arguments" && "do_$verb" $arguments; then
      say "done $step $verb $arguments" >>"$state/journal"
      spent_on_step=$(seconds_since "$began")
      say "step $spent_on_step $verb $arguments" >>"$run/steps"
      announce "$verb" "$arguments" "$spent_on_step"
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
  rm -f "$run/reserve"
  patience=$(($(now) + 18000))
  # No file is written for this: the disk may be full.
  begun=$(grep -c '^begin ' "$state/journal")
  say "back" >>"$state/journal" 2>/dev/null
  wake_needed
  while [ "$begun" -gt 0 ]; do
    # shellcheck disable=SC2046 # step, verb and arguments are plain words
    undo $(sed -n 's/^begin //p' "$state/journal" | sed -n "${begun}p")
    begun=$((begun - 1))
  done
  run=$reached
  rm -f "$state/journal"
  until restore; do
    # What an engine does while it stops or starts looks like a failure.
    [ $restored = 1 ] && [ "$(now)" -lt $patience ] && rest 1 && continue
    say "$complaints"
    return 1
  done
}

# wake KEY...: starts what should run and does not. An engine that crashed brings back only what has the policy `always`
# (see restarts): not a successor that is not proven yet, nor what an older version of this program has made.
wake() {
  await_engine
  for key; do load_object "$key" && { says_running "$id" || docker start "$id" >/dev/null 2>&1; }; done
  return 0
}

# Through the proxy all others are asked whether they are healthy, and most need the database. Those that run at this point
# of the release: what serves or was started, and was not stopped for another.
wake_needed() {
  # shellcheck disable=SC2046 # plain words
  wake $(awk -v journal="$state/journal" '
    BEGIN {
      while ((getline line < journal) > 0) {
        split(line, word, " ")
        if (word[1] == "begin" && word[3] == "stop") stopped[word[4]] = 1
        if (word[1] == "done" && word[3] == "start") started[word[4]] = 1
      }
    }
    $1 == "object" && ($4 == "proxy" || $4 == "database") && !stopped[$2] && !told[$2]++ &&
      (FILENAME ~ /current$/ || started[$2]) { print $2 }' "$state/current" "$run/plan" 2>/dev/null)
}

# All that served runs (all first: the health of some is asked through others) and is healthy. Sets restored: 0 when it
# is, 1 when the engine or a container was away, 2 when one that runs is not healthy in its time.
restore() {
  restored=0 complaints=
  await_engine
  for key in $(serving_keys); do load_object "$key" && docker start "$id" >/dev/null 2>&1; done
  # shellcheck disable=SC2046 # plain words
  restarts always $(serving_keys) 2>/dev/null
  for key in $(serving_keys); do
    load_object "$key" || continue
    complaint=$(await_healthy "$key") && continue
    complaints="$complaints${complaints:+
}$complaint"
    if [ $restored -lt 2 ] && ! says_running "$id"; then restored=1; else restored=2; fi
  done
  [ $restored = 0 ]
}

undo() {
  step=$1
  verb=$2
  shift 2
  await_engine
  "undo_$verb" "$@" && note_undone "$@" && return
  # It may have been stopping still when it answered last.
  rest 1
  await_engine
  if "undo_$verb" "$@"; then note_undone "$@"; else say "could not undo $verb $*"; fi
}

# For the ledger. The disk may be full.
note_undone() { say "undone $verb $*" 2>/dev/null >>"$run/steps" || :; }

# keep_reason BYTES: what was said since then, for the ledger; the verb that failed first.
keep_reason() {
  {
    say "FAILED: $verb $arguments"
    tail -c +$(($1 + 1)) "$run/log" | sed '$d' | without_quotes | tail -c 3000
  } 2>/dev/null >"$run/reason"
}

# An engine that is being restarted fails a verb; the undo must not fail for the same reason. At most three minutes in
# all.
await_engine() {
  until docker_within 10 version >/dev/null 2>&1; do
    [ "$(now)" -lt "$patience" ] || return 0
    rest 1
  done
}

# The containers that run when all is well: one-off migrations have ended.
serving_keys() { awk '$1 == "object" && $4 != "migrate" { print $2 }' "$state/current" 2>/dev/null; }

# What served before this run, and does not any more.
retired_keys() {
  awk '$1 != "object" || $4 == "migrate" { next }
    FILENAME ~ /current$/ { serves[$2] = 1; next }
    !serves[$2] { print $2 }' "$state/current" "$run/before" 2>/dev/null
}

tell_what_serves() {
  if [ -s "$state/current" ]; then
    if [ "${restored:-0}" = 0 ]; then
      say "$(what_serves), as before: $(serving_keys | tr '\n' ' ')"
    else
      say "NOT HEALTHY after the undo: $(serving_keys | tr '\n' ' '): see 'docker ps -a' and 'docker logs' on the host"
    fi
  else
    say "nothing serves yet: this was the first release"
  fi
  migrated=$(awk '$1 == "migrating" && $3 != "expand" { printf "%s ", $2 }' "$run/steps" 2>/dev/null)
  # shellcheck disable=SC2012 # our own names, no surprises
  [ -z "$migrated" ] || say "What ${migrated}did to the data stays. The dump from before it: $(ls -1td "$state"/backup/*.dump 2>/dev/null | head -n 1)"
  say "Nothing of the new release serves. Correct its cause and run 'pulumi up' again, or revert the change."
}

what_serves() { say "release $(sed -n 's/^release //p' "$state/current") serves"; }

# A little of the disk, so that a release which fails because it is full can still be taken back, and say so.
keep_reserve() { cat "$0" "$0" >"$run/reserve"; }
use_reserve() {
  full=no
  head -c 8192 "$0" 2>/dev/null >"$run/probe" || full=yes
  rm -f "$run/probe" "$run/reserve"
  [ $full = no ] || say "the host's disk is full: free space there ('docker builder prune'), then run 'pulumi up' again"
}

# What served before this run: verbs after `record` still have to find what they tidy away.
keep_before() { [ ! -f "$state/current" ] || cp "$state/current" "$run/before"; }

open_journal() { say "run $run" | replace_file "$state/journal"; }

# journal_begin STEP VERB ARGUMENTS: no verb is done that the journal does not know.
journal_begin() { say "begin $*" >>"$state/journal"; }

# Every container and image of this release, with how often it was made: facts.sh finds by it what is gone. An image
# is remembered by its ID, so that another one under its tag is noticed.
remember_objects() {
  docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' "$(payload_value images)/*" >"$run/images"
  {
    cat "$state/seen" 2>/dev/null
    payload_lines seen | awk -v images="$run/images" '
      BEGIN { while ((getline line < images) > 0) { split(line, word, " "); id["image:" word[1]] = word[2] } }
      $1 in id { $2 = id[$1] }
      { print }'
  } | replace_file "$state/seen" && remember_needs
}

# What a build took of the host's memory, in MiB: the most that one of the service ever did, because one that found all
# in the cache takes nothing.
remember_needs() {
  {
    cat "$state/needs" 2>/dev/null
    payload_lines measured
  } | awk '$2 > most[$1] + 0 { most[$1] = $2 } END { for (service in most) print service, most[service] }' |
    replace_file "$state/needs"
}

# announce VERB ARGUMENTS SECONDS: a line a step, for whoever watches.
announce() {
  case $1 in
    hold | stage | route | site) say "$(payload_value "label-$2") ($3 s)" ;;
    remove | sweep | record | password | rejoin | shelter | promote | revive) ;;
    limit) say "${2% *} is limited to ${2#* } MiB again ($3 s)" ;;
    attach) say "$2 is in its networks ($3 s)" ;;
    smoke) say "smoke test of the $2 release passed ($3 s)" ;;
    start) say "$2 started ($3 s)" ;;
    rehearse) say "$2 can serve the site ($3 s)" ;;
    healthy) say "$2 healthy ($3 s)" ;;
    observe) say "the new release stays healthy ($3 s)" ;;
    backup) say "database dumped ($3 s)" ;;
    drain) say "${2%% *} drained ($3 s)" ;;
    stop) say "$2 stopped ($3 s)" ;;
    migrate) say "$2 done ($3 s)" ;;
    *) say "$1 $2 ($3 s)" ;;
  esac
}

prune_runs() {
  # shellcheck disable=SC2012 # our own names, no surprises
  ls -1t "$state/runs" | tail -n +11 | while read -r old; do
    # Its own can look old: the clock may have been set back.
    [ "$old" = "${run##*/}" ] || rm -rf "${state:?}/runs/$old"
  done
}
