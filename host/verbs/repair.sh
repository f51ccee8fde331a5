# shellcheck shell=sh
# attach, limit, revive: put right what was changed by hand in a container that serves, without making another. None has
# an undo: what they found was wrong, and what they leave is what every release wants.

# In all its networks (joins KEY NETWORK ALIAS...). One that is gone is forgotten first: with it nothing starts.
do_attach() {
  load_object "$1" || return 1
  has=$(docker inspect -f '{{range $name, $network := .NetworkSettings.Networks}}{{$name}}={{$network.NetworkID}} {{end}}' "$id") ||
    return 1
  for one in $has; do
    # Before its first start a container knows its networks by name only.
    network=${one##*=}
    docker network inspect "${network:-${one%=*}}" >/dev/null 2>&1 ||
      docker network disconnect -f "${one%=*}" "$id" || return 1
  done
  payload_lines "joins $1" | while read -r network aliases; do
    case " $has" in *" $network="*) continue ;; esac
    options=
    for alias in $aliases; do options="$options --alias $alias"; done
    # shellcheck disable=SC2086 # plain words
    docker network connect $options "$network" "$id" </dev/null || exit 1
  done
}
undo_attach() { :; }

# limit KEY MIB: its memory, and what a restart of the machine does with it.
do_limit() {
  load_object "$1" && docker update --memory "$2m" --memory-swap "$2m" --restart always "$id" >/dev/null
}
undo_limit() { :; }

# revive KEY SECONDS: it runs and is not healthy. Perhaps only for want of what has just been put right: it gets this
# long to recover, and is restarted if it does not.
do_revive() {
  load_object "$1" || return 1
  case $(container_state "$id") in
    running\ *) if healthy_within "$1" "$2"; then return 0; fi ;;
  esac
  load_object "$1" && docker_within $((grace + 60)) restart -t "$grace" "$id" >/dev/null && say "  $1 restarted"
}
undo_revive() { :; }
