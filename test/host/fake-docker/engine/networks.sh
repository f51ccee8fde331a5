# shellcheck shell=sh
# network ls, inspect, connect, disconnect, rm. networks: NAME STACK ID (the name itself where no ID is given)

docker_network() {
  action=$1
  shift
  case $action in
    ls)
      case "$1 $2 ${4:-}" in
        "-q --filter "*) wanted=$3 ;;
        "-q --no-trunc "*) wanted=$4 ;;
        "--no-trunc --filter --format") wanted=$3 ;;
        *) refuse "network ls $*" ;;
      esac
      act asked "network ls"
      while read -r name stack network_id; do
        [ "$wanted" = "label=deploy.stack=$stack" ] || continue
        case $1 in
          -q) if [ "$2" = --no-trunc ]; then printf '%s\n' "${network_id:-$name}"; else printf '%s\n' "$name"; fi ;;
          *)
            [ "$5" = 'network {{.ID}} {{.Name}}' ] || refuse "network ls $*"
            printf 'network %s %s\n' "${network_id:-$name}" "$name"
            ;;
        esac
      done <"$world/networks"
      ;;
    inspect)
      act asked "network inspect $1"
      network_known "$1" || complain "No such network: $1"
      ;;
    connect)
      aliases=
      while [ "$1" = --alias ]; do
        aliases="$aliases $2"
        shift 2
      done
      network_known "$1" || complain "network $1 not found"
      find "$2"
      act calls "connect $key$aliases"
      printf '%s=%s\n' "$network_name" "$network_id" >>"$container/networks"
      ;;
    disconnect)
      [ "$1" = -f ] || refuse "network disconnect $*"
      find "$3"
      act calls "disconnect $key"
      grep -q "^$2=" "$container/networks" || complain "container $3 is not connected to the network $2"
      grep -v "^$2=" "$container/networks" >"$container/networks.new"
      mv "$container/networks.new" "$container/networks"
      ;;
    rm)
      for name in "$@"; do
        act calls "network rm $name"
        ! cat "$world"/containers/*/networks 2>/dev/null | grep -q "=$name\$" || complain "network $name has active endpoints"
        grep -v -e "^$name " -e " $name\$" "$world/networks" >"$world/networks.new"
        mv "$world/networks.new" "$world/networks"
      done
      ;;
    *) refuse "network $action $*" ;;
  esac
}

# network_known NAME|ID: sets network_name, network_id.
network_known() {
  while read -r network_name stack network_id; do
    network_id=${network_id:-$network_name}
    case $1 in "$network_name" | "$network_id") return 0 ;; esac
  done <"$world/networks"
  return 1
}
