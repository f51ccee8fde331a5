# shellcheck shell=sh
# The world's state, the record of calls, and the faults that a test asks for.

slay_after=

# refuse WHAT: a call that the fake does not know, or a situation that must not be. Loud even where the product
# hides the client's complaints.
refuse() {
  printf '%s\n' "$*" >>"$world/refused"
  printf 'fake docker: refused: %s\n' "$*" >&2
  exit 125
}

complain() {
  printf 'Error response from daemon: %s\n' "$*" >&2
  exit 1
}

# find REF: sets id, container (its folder) and what `about` tells.
find() {
  # An ID, whole or shortened, as the real client takes it.
  for container in "$world/containers/$1"*; do
    if [ -n "$1" ] && [ -d "$container" ]; then
      id=${container##*/}
      . "$container/about"
      return
    fi
  done
  complain "No such container: $1"
}

# state_of FOLDER: sets status, restarts, exit_code, oom.
state_of() { read -r status restarts exit_code oom <"$1/state"; }

# become FOLDER STATE...: whole or not at all, because others read it meanwhile.
become() {
  into=$1
  shift
  printf '%s\n' "$*" >"$into/state.$$"
  mv "$into/state.$$" "$into/state"
}

# act LIST WHAT: records a call in a list (calls or asked), and lets the fault happen that waits for it.
#
# $world/fault has four lines: a pattern for WHAT, at which match, what happens, with which words:
#   fail        the call fails, with the words as its complaint
#   slay        the runner is killed before the call has an effect     (words: alone | group)
#   slay-after  the runner is killed when the call has had its effect  (words: alone | group)
#   hang        the call takes longer, as many seconds as the words say
act() {
  printf '%s\n' "$2" >>"$world/$1"
  [ -f "$world/fault" ] || return 0
  {
    read -r pattern
    read -r count
    read -r happens
    read -r words
  } <"$world/fault"
  # shellcheck disable=SC2254 # it is a pattern
  case $2 in $pattern) ;; *) return 0 ;; esac
  if [ "$count" -gt 1 ]; then
    printf '%s\n' "$pattern" $((count - 1)) "$happens" "$words" >"$world/fault"
    return 0
  fi
  mv "$world/fault" "$world/fault.happened"
  case $happens in
    fail) complain "$words" ;;
    slay) slay "$words" ;;
    slay-after) slay_after=$words ;;
    hang) sleep "$words" ;;
    *) refuse "fault $happens" ;;
  esac
}

# slay alone|group: SIGKILL for the runner, or for it and all that it started.
slay() {
  for pid_file in "$world"/state/*/runs/*/pid; do
    read -r pid <"$pid_file"
    # Only what is really a runner of this world: a number may long be somebody else's.
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "${pid_file%/pid}" || continue
    case $1 in
      # With the one that guards it.
      group) kill -9 "-$(cut -d' ' -f5 "/proc/$pid/stat")" ;;
      *) kill -9 "$pid" ;;
    esac
  done
  exit 137
}
