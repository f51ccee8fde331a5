# shellcheck shell=sh
# Taking a release back: the verbs that the journal shows, in reverse, until all that served before is healthy again.

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
