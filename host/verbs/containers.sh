# shellcheck shell=sh
# start, healthy, stop, remove: a container's life. Only these start and stop anything; Pulumi only creates.

do_start() {
  load_object "$1" || return 1
  if ! complaint=$(docker start "$id" 2>&1 >/dev/null); then
    say "$1 does not start: $complaint"
    return 1
  fi
}
# What was started for this release and did not make it is kept, stopped, so that its logs can be read.
undo_start() {
  load_object "$1" && docker stop -t 2 "$id" >/dev/null 2>&1
}

do_healthy() {
  await_healthy "$1" && return 0
  load_object "$1" && last_lines "$1" "$id"
  return 1
}
undo_healthy() { :; }

do_stop() {
  load_object "$1" || return 1
  docker stop -t "$grace" "$id" >/dev/null
}
undo_stop() {
  load_object "$1" || return 1
  docker start "$id" >/dev/null && await_healthy "$1" || return 1
  # The data may have taken the password of the one that is taken back.
  if [ "$role" = database ]; then do_password "$1"; fi
}

# shelter OLD NEW: comes before OLD is stopped for NEW. If the machine restarts from here on, OLD comes back and NEW
# does not. promote NEW OLD: from here on it is NEW that comes back.
do_shelter() { restarts always "$1" && restarts no "$2"; }
undo_shelter() { do_promote "$@"; }
do_promote() { restarts unless-stopped "$1" && restarts unless-stopped "$2"; }
undo_promote() { do_shelter "$2" "$1"; }

restarts() {
  load_object "$2" && docker update --restart "$1" "$id" >/dev/null
}

# observe SECONDS KEY...: a version that was healthy for a moment only must not replace one that has been for days.
do_observe() {
  end=$(($(now) + $1 * 100))
  shift
  for key; do load_object "$key" && say "$key $(container_state "$id" | cut -d' ' -f1,2)"; done >"$run/observed"
  while [ "$(now)" -lt $end ]; do
    for key; do
      load_object "$key" || return 1
      grep -qxF "$key $(container_state "$id" | cut -d' ' -f1,2)" "$run/observed" && continue
      if killed_for_memory "$id"; then
        say "$key was killed: it needs more memory than its limit"
      else
        say "$key stopped by itself soon after it was healthy"
      fi
      last_lines "$key" "$id"
      return 1
    done
    rest 0.2
  done
  for key; do do_healthy "$key" || return 1; done
}
undo_observe() { :; }

# Comes after record: there is nothing to go back to.
do_remove() {
  load_object "$1" || return 1
  docker rm -f "$id" >/dev/null
}
undo_remove() { :; }

# Removes what bears our label and does not belong to what serves: left by a killed run, or by an earlier failure.
do_sweep() {
  [ -s "$state/current" ] || return 1
  docker ps -aq --no-trunc --filter "label=$(payload_value label)" | while read -r found; do
    grep -q "^object [^ ]* [^ ]* [^ ]* $found " "$state/current" && continue
    docker stop "$found" >/dev/null
    docker rm -f "$found" >/dev/null
  done
}
undo_sweep() { :; }
