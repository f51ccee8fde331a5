# shellcheck shell=sh
# start, stop, restart, unpause, kill, rm, update. The engine's own rules hold: a published port binds once, a data folder has one server.

docker_start() {
  attach=no
  if [ "$1" = -a ]; then
    attach=yes
    shift
  fi
  [ $# = 1 ] || refuse "start $*"
  find "$1"
  act calls "start $key"
  state_of "$container"
  [ "$status" != running ] || return 0
  [ "$status" != paused ] || complain "cannot start a paused container, try unpause instead"
  in_networks
  acts=
  [ ! -f "$container/acts" ] || read -r acts <"$container/acts"
  rm -f "$container/looked"
  case $role in
    migrate)
      [ $attach = yes ] || refuse "start of $key without -a"
      run_to_end
      return
      ;;
    proxy)
      if other_runs proxy; then complain "driver failed programming external connectivity on endpoint $key: Bind for 0.0.0.0:80 failed: port is already allocated"; fi
      if ! "$here/inside/nginx" -t -q -c "$world/volumes/proxy/nginx.conf" 2>"$container/log"; then
        become "$container" exited 0 1 false
        return 0
      fi
      cp "$world/volumes/proxy/nginx.conf" "$container/loaded"
      cp "$world/volumes/proxy/routes.js" "$container/loaded.js"
      mkdir -p "$container/sockets"
      sed -n 's|.*listen unix:/tmp/\([^;]*\);.*|\1|p' "$container/loaded" | while read -r socket; do
        : >"$container/sockets/$socket"
      done
      rm -f "$container/pending"
      ;;
    database)
      if other_runs database; then refuse "two servers on one data folder: $key"; fi
      # As the image does: only an empty data folder takes the password from the environment.
      if [ ! -f "$world/volumes/database/password" ]; then
        . "$container/env"
        printf '%s %s\n' "$POSTGRES_USER" "$POSTGRES_PASSWORD" >"$world/volumes/database/password"
      fi
      ;;
  esac
  become "$container" running 0 0 false
}

# acts of a migration: "exit N", "endless". It may use the database, so that must be there.
run_to_end() {
  case $acts in
    exit\ *) code=${acts#exit } ;;
    endless)
      become "$container" running 0 0 false
      tries=0
      while [ $tries -lt 100 ]; do
        state_of "$container"
        [ "$status" = running ] || break
        tries=$((tries + 1))
        sleep 0.1
      done
      return 137
      ;;
    *) code=0 ;;
  esac
  echo "migrating with $version"
  [ "$code" = 0 ] || echo "relation \"deals\" does not exist" >&2
  become "$container" exited 0 "$code" false
  return "$code"
}

other_runs() {
  for other in "$world"/containers/*; do
    if [ "$other" != "$container" ] && grep -q "^role='$1'\$" "$other/about"; then
      state_of "$other"
      [ "$status" != running ] || return 0
    fi
  done
  return 1
}

# What is in a network that is gone does not start.
in_networks() {
  while IFS== read -r network_name network_id; do
    grep -q " ${network_id:-.*}\$" "$world/networks" || complain "network ${network_id:-$network_name} not found"
  done <"$container/networks"
}

docker_restart() {
  [ "$1" = -t ] || refuse "restart $*"
  find "$3"
  act calls "restart $key"
  state_of "$container"
  become "$container" exited "$restarts" 0 false
  rm -f "$container/health"
  # What was sick only in its old process.
  ! grep -qx 'sick until restart' "$container/acts" 2>/dev/null || echo well >"$container/acts"
  docker_start "$3"
}

docker_unpause() {
  find "$1"
  act calls "unpause $key"
  state_of "$container"
  [ "$status" = paused ] || complain "Container $1 is not paused"
  become "$container" running "$restarts" 0 false
}

docker_stop() {
  grace="its own"
  if [ "$1" = -t ]; then
    grace=$2
    shift 2
  fi
  for reference in "$@"; do
    find "$reference"
    [ ! -f "$container/stops-slowly" ] || sleep 0.3
    act calls "stop $key"
    printf 'stop %s within %s s\n' "$key" "$grace" >>"$world/asked"
    state_of "$container"
    case $status in running | restarting | paused) become "$container" exited "$restarts" 0 false ;; esac
    printf '%s\n' "$reference"
  done
}

docker_kill() {
  # With a signal it would still count as a stop by hand, and end the restart policy.
  [ "$1" != -s ] || refuse "kill $*"
  find "$1"
  act calls "kill $key"
  state_of "$container"
  [ "$status" = running ] || complain "Container $1 is not running"
  become "$container" exited "$restarts" 137 false
}

docker_update() {
  if [ "$1 ${3:-} ${5:-}" = "--memory --memory-swap --restart" ]; then
    find "$7"
    act calls "limit $key $2 $6"
    printf '%s\n' $((${2%m} * 1024 * 1024)) >"$container/memory"
    printf '%s\n' "$6" >"$container/restart"
    return
  fi
  [ "$#" -ge 3 ] && [ "$1" = --restart ] || refuse "update $*"
  policy=$2
  shift 2
  for reference; do
    find "$reference"
    printf '%s\n' "$reference"
    # What is so already is no change.
    ! grep -qx -- "$policy" "$container/restart" || continue
    act calls "policy $key $policy"
    printf '%s\n' "$policy" >"$container/restart"
  done
}

docker_rm() {
  [ "$1" = -f ] || refuse "rm $*"
  shift
  while [ "${1:-}" = -v ]; do shift; done
  for reference in "$@"; do
    find "$reference"
    act calls "rm $key"
    state_of "$container"
    # Only what was stopped before: rm -f on a running one is a SIGKILL in the middle of its requests.
    [ "$status" != running ] || printf 'rm of running %s\n' "$key" >>"$world/killed"
    rm -r "$container"
    printf '%s\n' "$reference"
  done
}
