# shellcheck shell=sh
# The container that is the box: how it is made, and when it is ready.

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
  docker create --name "$box_container" --hostname "$box_name" --init "$@" \
    --memory 1g --memory-swap 1g --tmpfs /run:exec,mode=755 -v "$box_volume:/var/lib/docker" \
    -p "127.0.0.1:$ssh_port:22" -p "127.0.0.1:$http_port:80" -p "127.0.0.1:$web_port:$web_port" \
    --label sandbox.box="$checkout" --label sandbox.image="$box_image" "$box_image" >/dev/null
  install_keys
}

# Waits until ssh lets us in and the engine inside answers; at most 60 seconds.
wait_for_box() {
  read_ports
  give_up=$(($(now_ms) + 60000))
  until in_box docker version >/dev/null 2>&1 && box_ssh true 2>/dev/null; do
    if ! box_running || [ "$(now_ms)" -gt "$give_up" ]; then
      docker logs --tail 20 "$box_container" >&2
      box_ssh true || true
      fail "the box '$box_name' did not come up"
    fi
    sleep 0.2
  done
}
