# shellcheck shell=sh
# What a run says to whoever watches: a line a step, and in the end what serves.

# announce VERB ARGUMENTS SECONDS: a line a step, for whoever watches.
announce() {
  case $1 in
    hold | stage | route | site) say "$(payload_value "label-$2") ($3 s)" ;;
    remove | sweep | record | budget | password | rejoin | shelter | promote | revive) ;;
    limit) say "${2% *} is limited to ${2#* } MiB again ($3 s)" ;;
    attach) say "$2 is in its networks ($3 s)" ;;
    smoke) say "smoke test of the $2 release passed ($3 s)" ;;
    start) say "$2 started ($3 s)" ;;
    jobs) say "the jobs are in the crontab ($3 s)" ;;
    fits) say "$2 can live with the data that is there ($3 s)" ;;
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

# keep_reason BYTES: what was said since then, for the ledger; the verb that failed first.
keep_reason() {
  {
    say "FAILED: $verb $arguments"
    tail -c +$(($1 + 1)) "$run/log" | sed '$d' | without_quotes | tail -c 3000
  } 2>/dev/null >"$run/reason"
}
