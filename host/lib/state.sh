# shellcheck shell=sh
# What the host remembers of a stack, all below one directory:
#   lock      held while a runner works          holder   who holds it, for people
#   current   what serves (see verb record)      seen     every container and image a release used, and how often made
#   needs     MiB that the builds of a service took
#   journal   the verbs of the run in progress   runs/N/  plan, log and result of a run
#   proxy/    the nginx files as last installed
#   owner     whose it all is (lib/owner.sh)         script   these scripts, for a teardown by hand
#   jobs/     what cron starts, and what came of it (jobs.sh)
#   ledger/N  every release that was tried (lib/ledger.sh)

state_dir() {
  state=$(payload_value state)
  if ! mkdir -p "$state/runs" "$state/proxy" 2>/dev/null || ! [ -w "$state" ]; then
    say "cannot write $state on the host as user $(id -un): create it for this user, or set host.stateDir" >&2
    return 1
  fi
  chmod 700 "$state"
}

# from_payload SCRIPT: what sed makes of the payload. The runner has it in a file (plan): it asks hundreds of times.
from_payload() { if [ -n "${plan:-}" ]; then sed -n "$1" "$plan"; else payload | sed -n "$1"; fi; }

# Roles whose containers are started for one piece of work: they do not serve (plan/wanted/container.ts).
one_off='^(migrate|job|messenger)$'

# payload_value WORD: the rest of the first payload line that begins with WORD.
payload_value() { from_payload "/^$1 /{s///p;q;}"; }

# payload_lines WORD: the rest of each line that begins with WORD.
payload_lines() { from_payload "s/^$1 //p"; }
# payload_lines_whole WORD...: these lines as they are.
payload_lines_whole() { for word in "$@"; do from_payload "/^$word /p"; done; }
# plan_text NAME: a text that the plan carries (text NAME BASE64).
plan_text() { from_payload "s/^text $1 //p" | base64 -d; }

# An `object` line describes a container: object KEY SERVICE ROLE ID GRACE HEALTH TIMEOUT [ORIGIN]
# KEY is service-hash; HEALTH is http:PORT:PATH, exec:BASE64, proxy or none; GRACE and TIMEOUT are seconds. ORIGIN is what
# one that is asked over HTTP is asked as (https://crm.example.org); records of an older program have none.
# The plan's own objects come first, then those that serve now, then those that served before this run, then those of
# the run that is taken back.
object_line() {
  if [ -n "${plan:-}" ]; then
    sed -n "/^object $1 /{p;q;}" "$plan" "$state/current" "$run/before" "$run/script" 2>/dev/null
  else
    {
      payload
      cat "$state/current" 2>/dev/null
    } | sed -n "/^object $1 /{p;q;}"
  fi
}

# load_object KEY: sets id, service, role, grace, health, timeout, origin.
load_object() {
  # shellcheck disable=SC2046 # the line is made of plain words
  set -- "$1" $(object_line "$1")
  if [ $# -lt 9 ]; then
    say "no container is known as $1" >&2
    return 1
  fi
  service=$4 role=$5 id=$6 grace=$7 health=$8 timeout=$9
  shift 9
  origin=${1:-}
}

# replace_file NAME [durable]: its new content comes on stdin, whole or not at all. Durable outlives a power cut; a busy
# disk can take long for that, so nothing that is written while requests wait is.
replace_file() {
  cat >"$1.new" || return 1
  [ "${2:-}" != durable ] || sync "$1.new" 2>/dev/null
  mv "$1.new" "$1"
}

# lock_within SECONDS: takes the lock behind descriptor 9. Polled, because busybox's flock knows no -w.
lock_within() {
  lock_end=$(($(now) + $1 * 100))
  until flock -n 9; do
    [ "$(now)" -lt $lock_end ] || return 1
    rest 0.2
  done
}

# at_work: who holds the lock, since when, doing what; for people.
at_work() {
  # shellcheck disable=SC2046 # the journal's lines are plain words
  set -- $(sed -n '$p' "$state/journal" 2>/dev/null)
  [ "${1:-}" != begin ] || shift
  case ${1:-run} in
    run | done) doing= ;;
    back) doing=", now taking it back" ;;
    *)
      shift
      doing=", now $(in_words "$@")"
      ;;
  esac
  say "$(cat "$state/holder" 2>/dev/null)$doing"
}

journal_open() { [ -s "$state/journal" ]; }
# What serves names the run that made it so. The journal alone could not tell: a kill may come between the two.
journal_committed() { grep -qxF "$(head -n 1 "$state/journal")" "$state/current" 2>/dev/null; }
