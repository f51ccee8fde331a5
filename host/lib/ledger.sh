# shellcheck shell=sh
# The ledger: one file for each release that was tried, ledger/NUMBER, a word and its value a line:
#   run         its folder                        release, epoch, base   what it was to make, of what
#   kind        deploy, repair or rollback        to       the release that a rollback goes back to
#   after       the number of what served then    by, began, ended, seconds
#   commit      COMMIT clean|changed PLACE        config, record         base64 of JSON; secrets only as keyed digests
#   serves      its containers' keys              image REFERENCE ID     what they run
#   step        SECONDS VERB ARGUMENTS            undone   VERB ARGUMENTS
#   migrating   KEY KIND: it began to change the data      secret   SERVICE NAME: one that it has
#   visitors, failed, errors, held, met-before, met-during, met-after, probed, memory: what visitors met meanwhile (lib/met.sh)
#   result      running, done, failed, interrupted         reason   base64 of what was said
# Each is written whole or not at all, and only by who holds the lock.

# How many are remembered; which of them are ready to go back to is a matter of their images.
ledger_length=100

# The newest number; what serves names one too, should the ledger be lost.
last_number() {
  {
    say 0
    ls "$state/ledger" 2>/dev/null
    serving_number
  } | grep -E '^[0-9]+$' | sort -n | tail -n 1
}
serving_number() { sed -n 's/^number //p' "$state/current" 2>/dev/null; }

# Begins this run's entry: sets number, once it is written.
open_entry() {
  next=$(($(last_number) + 1))
  began_at=$(now)
  after=$(serving_number)
  if ! { mkdir -p "$state/ledger" && {
    say "run $run"
    say "after ${after:-0}"
    say "began $(date +%s)"
    payload_lines_whole release epoch base kind to by commit config record serves data secret
    say "result running"
  } | replace_file "$state/ledger/$next" durable; }; then
    say "cannot write $state/ledger on the host: is its disk full? Nothing was changed."
    return 1
  fi
  number=$next
  to=$(payload_value to)
  case $(payload_value kind) in
    rollback) intent="back to release $to" ;;
    repair) intent="puts right what serves" ;;
    *) intent="deploy" ;;
  esac
  log_line "release $number begins ($intent, $(payload_value release)), by $(payload_value by)"
}

# close_entry NUMBER RESULT: what became of it. What its run remembers is still there: only later runs remove old ones.
close_entry() {
  entry=$state/ledger/$1
  of_run=$(sed -n 's/^run //p' "$entry")
  reason=$(cat "$of_run/reason" 2>/dev/null || without_quotes <"$of_run/log" 2>/dev/null | tail -c 3000)
  {
    sed '/^result running$/d' "$entry"
    cat "$of_run/steps" "$of_run/used" "$of_run/met" 2>/dev/null
    say "result $2"
    say "ended $(date +%s)"
    [ -z "${began_at:-}" ] || say "seconds $(seconds_since "$began_at")"
    [ "$2" = "done" ] || [ -z "$reason" ] || say "reason $(printf '%s' "$reason" | base64 | tr -d '\n')"
  } | replace_file "$entry" durable 2>/dev/null || say "could not write the ledger ($entry); the next 'pulumi up' will"
  case $2 in
    done) log_line "release $1 serves${began_at:+ after $(seconds_since "$began_at") s}: $(sed -n 's/^serves //p' "$entry")" ;;
    failed) log_line "release $1 FAILED: $(first_line "${reason#FAILED: }"); $(outcome_in_words)" ;;
    interrupted) log_line "release $1 was interrupted; $(outcome_in_words)" ;;
  esac
}

# Without what is quoted of containers' logs: those are kept elsewhere, and may tell anything.
without_quotes() { sed '/^ *| /d; /^ *last lines of /d'; }

outcome_in_words() {
  after=$(serving_number)
  if [ ! -s "$state/current" ]; then
    say "nothing serves"
  elif [ "${restored:-0}" = 0 ]; then
    say "release ${after:-before} serves, as before"
  else
    say "release ${after:-before} should serve and is NOT HEALTHY"
  fi
}

# Entries of runs that were killed: by now it is known what became of them.
close_left_entries() {
  grep -lx 'result running' "$state"/ledger/* 2>/dev/null | while read -r left; do
    left=${left##*/}
    case $left in *.new) continue ;; esac
    if [ "$(serving_number)" = "$left" ]; then
      close_entry "$left" "done"
    elif [ -s "$(sed -n 's/^run //p' "$state/ledger/$left")/reason" ]; then
      # It was being taken back when its runner was killed.
      close_entry "$left" failed
    else
      close_entry "$left" interrupted
    fi
  done
  return 0
}

# What the containers that serve from now on run: an image's name may mean another one later.
remember_used() {
  # shellcheck disable=SC2046 # plain words
  set -- $(for key in $(payload_value serves); do load_object "$key" && say "$id"; done)
  docker inspect -f 'image {{.Config.Image}} {{.Image}}' "$@" 2>/dev/null | sort -u >"$run/used"
}

prune_ledger() {
  # shellcheck disable=SC2012 # our own names, numbers all
  ls "$state/ledger" 2>/dev/null | sort -rn | tail -n +$((ledger_length + 1)) | while read -r old; do
    rm -f "${state:?}/ledger/$old"
  done
}

# Told to plans and people: of each entry all but its config, of the one that is asked for also that.
ledger_facts() {
  [ -d "$state/ledger" ] || return 0
  asked=$(payload_value asked)
  detail=$(payload_value detail)
  # An entry that is being written has a name of its own until it is whole.
  find "$state/ledger" -type f ! -name '*[!0-9]*' -exec awk -v asked="$asked" -v detail="$detail" '
    FNR == 1 { number = FILENAME; sub(/.*\//, "", number) }
    $1 == "config" || $1 == "record" { if (number != asked) next }
    $1 == "step" || $1 == "undone" { if (detail == "") next }
    $1 == "run" { next }
    { print "ledger", number, $0 }' {} +
  # Sizes are for people. The engine walks through volumes too, for minutes if they are large; whoever asks does not wait
  # that long.
  [ -z "$detail" ] || docker_within 40 system df -v --format '{{range .Images}}layers {{.ID}} {{.UniqueSize}}
{{end}}' 2>/dev/null | grep '^layers '
  return 0
}
