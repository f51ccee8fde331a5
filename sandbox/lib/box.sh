# shellcheck shell=sh
# A VPS in a box: a container with 1 GiB of memory, sshd and an engine of its own.

box_name=${BOX_NAME:-box}
case $box_name in
  *[!a-z0-9-]* | '') fail "BOX_NAME must be lower-case letters, digits and dashes, is '$box_name'" ;;
esac
box_dir=$state/box
box_ports=$box_dir/$box_name.ports
box_container=sandbox-$box_name-$(printf %s "$checkout" | sha256 | cut -c1-8)
box_volume=$box_container-docker

box_state() {
  current=$(docker container inspect --format '{{.State.Status}}' "$box_container" 2>/dev/null) || current=none
  echo "$current"
}
box_label() { docker container inspect --format "{{index .Config.Labels \"$1\"}}" "$box_container" 2>/dev/null || true; }
box_running() { [ "$(box_state)" = running ]; }
in_box() { docker exec "$box_container" "$@"; }

require_box() { box_running || fail "the box '$box_name' is not up: sandbox/box up"; }

# The ports stay the same over restarts and resets, as a VPS keeps its address. The web port has the same
# number inside and outside, so that the address that a deploy prints is right on both sides.
choose_ports() {
  [ -r "$box_ports" ] && return 0
  node "$here/lib/free-ports.mjs" 3 | {
    read -r ssh && read -r http && read -r web
    echo "ssh_port=${BOX_SSH_PORT:-$ssh}"
    echo "http_port=${BOX_HTTP_PORT:-$http}"
    echo "web_port=${BOX_WEB_PORT:-$web}"
  } | write_file "$box_ports"
}

read_ports() {
  ssh_port=$(value_of ssh_port "$box_ports")
  http_port=$(value_of http_port "$box_ports")
  web_port=$(value_of web_port "$box_ports")
}
