# shellcheck shell=sh
# start, healthy, stop, remove: a container's life. Only these start and stop anything; Pulumi only creates.

do_start() {
  admit "$1" && load_object "$1" && give_volumes || return 1
  case $(container_state "$id") in paused\ *) docker unpause "$id" >/dev/null || return 1 ;; esac
  if ! complaint=$(docker start "$id" 2>&1 >/dev/null); then
    say "$1 does not start: $complaint"
    case $complaint in *'executable file not found'* | *'no such file or directory'*)
      advise "what it is to run is not in the image: look at services.${service%%.*}.command" ;; esac
    return 1
  fi
}
# What was started for this release and did not make it is kept, stopped, so that its logs can be read. It stays down
# when the engine or the machine restarts.
undo_start() {
  load_object "$1" || return 1
  # The engine refuses it for one that ends just then.
  restarts unless-stopped "$1" 2>/dev/null
  docker stop -t 2 "$id" >/dev/null 2>&1
}

do_healthy() {
  await_healthy "$1" && return 0
  load_object "$1" && unwell "$1"
  return 1
}
undo_healthy() { :; }

# rejoin KEY: one that goes on serving has lost its connections to the database, and requests still wait. Mostly it is
# about to be replaced: whatever it lacks, the release goes on.
do_rejoin() {
  await_healthy "$1" 10 && return
  say "  $1 does not find the database again; the release goes on"
}
undo_rejoin() { :; }

do_stop() {
  load_object "$1" || return 1
  docker_within $((grace + 60)) stop -t "$grace" "$id" >/dev/null
}
undo_stop() {
  load_object "$1" || return 1
  docker start "$id" >/dev/null && await_healthy "$1" || return 1
  # The data may know the password of the one that is taken back, and not this one's.
  if [ "$role" = database ]; then do_password "$1" && revoke "$1"; fi
}

# shelter OLD NEW: comes before OLD is stopped for NEW. If the machine restarts from here on, OLD comes back and NEW
# does not. promote NEW OLD: from here on it is NEW that comes back. One that is started anew itself has no NEW.
do_shelter() { restarts always "$1" && { [ "${2:-$1}" = "$1" ] || restarts no "$2"; }; }
undo_shelter() { restarts always "$1" && { [ "${2:-$1}" = "$1" ] || restarts unless-stopped "$2"; }; }
do_promote() { restarts always "$1" && { [ "$2" = "$1" ] || restarts no "$2"; }; }
undo_promote() { do_shelter "$2" "$1"; }

# restarts POLICY KEY...: what the engine does with them when it starts. `always` for what serves: one that is
# `unless-stopped` stays down after a crash of the engine, which takes what it finds still alive for stopped by hand
# (seen with 20.10). Sets id, of the last.
restarts() {
  policy=$1 ids=
  shift
  for key; do load_object "$key" && ids="$ids $id" || return 1; done
  # shellcheck disable=SC2086 # plain words
  [ -z "$ids" ] || docker update --restart "$policy" $ids >/dev/null
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
      unwell "$key"
      return 1
    done
    left=$((end - $(now)))
    if [ $left -ge 20 ]; then rest 0.2; elif [ $left -gt 0 ]; then rest "0.$(printf %02d $left)"; fi
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

# Removes what bears our label and does not belong to what serves: left by a killed run, or by an earlier failure. And
# images of releases that nobody goes back to; and the logins of earlier passwords: nobody who serves uses them now.
do_sweep() {
  [ -s "$state/current" ] || return 1
  # A job at work ends in peace; who started it removes it then.
  docker ps -q --no-trunc --filter "label=$(payload_value label)" --filter label=deploy.role=job >"$run/at-work" || return 1
  docker ps -aq --no-trunc --filter "label=$(payload_value label)" | while read -r found; do
    grep -q "^object [^ ]* [^ ]* [^ ]* $found " "$state/current" && continue
    ! grep -qxF "$found" "$run/at-work" || continue
    docker_within 3700 stop "$found" >/dev/null
    docker rm -f "$found" >/dev/null
  done || return 1
  # A network that was made anew has left its predecessor, where that was not gone. One that is in use stays.
  if [ -n "$(from_payload '/^seen network:/p')" ]; then
    docker network ls -q --no-trunc --filter "label=$(payload_value label)" | while read -r found; do
      from_payload '/^seen network:/p' | grep -q " $found " || docker network rm "$found" >/dev/null 2>&1
    done
  fi
  sweep_images
  serving_database=$(awk '$1 == "object" && $4 == "database" { print $2; exit }' "$state/current")
  [ -z "$serving_database" ] || revoke "$serving_database"
}
undo_sweep() { :; }

# Of the images that this stack has built those stay that the plan names (retain REFERENCE): of the releases that are
# ready to go back to. One that a container uses stays in any case.
sweep_images() {
  payload_lines retain >"$run/retained"
  [ -s "$run/retained" ] || return 0
  docker images --format '{{.Repository}}:{{.Tag}}' "$(payload_value images)/*" | while read -r image; do
    grep -qxF "$image" "$run/retained" || docker rmi "$image" >/dev/null 2>&1
  done
  return 0
}
