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
box_running() { [ "$(box_state)" = running ]; }
in_box() { docker exec "$box_container" "$@"; }

require_box() { box_running || fail "the box '$box_name' is not up: sandbox/box up"; }

# The ports stay the same over restarts and resets, as a VPS keeps its address.
choose_ports() {
  [ -r "$box_ports" ] && return 0
  node -e '
    const net = require("node:net");
    // Below the range that the kernel gives to outgoing connections, so that a box that is off keeps its ports.
    const free = () => new Promise((resolve) => {
      const port = 20000 + Math.floor(Math.random() * 10000);
      const server = net.createServer();
      server.on("error", () => resolve(free()));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)));
    });
    (async () => {
      const ssh = await free();
      let http = await free();
      while (http === ssh) http = await free();
      console.log(`ssh_port=${ssh}\nhttp_port=${http}`);
    })();
  ' | sed "s/^ssh_port=.*/ssh_port=${BOX_SSH_PORT:-&}/; s/^http_port=.*/http_port=${BOX_HTTP_PORT:-&}/; s/=[a-z_]*=/=/" |
    write_file "$box_ports"
}

read_ports() {
  # shellcheck source=/dev/null # two assignments
  . "$box_ports"
}

create_box() {
  choose_ports
  read_ports
  if [ "$(docker info --format '{{.CgroupVersion}}')" = 1 ]; then
    set -- --cap-add=ALL --cap-drop=SYS_RESOURCE --security-opt seccomp=unconfined \
      --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
      --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw
  else
    set -- --privileged --cgroupns=private
  fi
  docker create --name "$box_container" --hostname "$box_name" --init --stop-timeout 40 "$@" \
    --memory 1g --memory-swap 1g --tmpfs /run:exec,mode=755 -v "$box_volume:/var/lib/docker" \
    -p "127.0.0.1:$ssh_port:22" -p "127.0.0.1:$http_port:80" \
    --label sandbox.box="$checkout" --label sandbox.image="$box_image" "$box_image" >/dev/null
  install_keys
}

# Waits until ssh lets us in and the engine inside answers; at most 60 seconds.
wait_for_box() {
  read_ports
  tries=0
  until in_box docker version >/dev/null 2>&1 && box_ssh true 2>/dev/null; do
    tries=$((tries + 1))
    if ! box_running || [ "$tries" -gt 300 ]; then
      docker logs --tail 20 "$box_container" >&2
      fail "the box '$box_name' did not come up"
    fi
    sleep 0.2
  done
}
