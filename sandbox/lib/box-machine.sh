# shellcheck shell=sh
# The container that is the box: how it is made, and when it is ready.

# In the order of their numbers in linux/capability.h, from 0.
capability_names='CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ'

# Those that this machine has to give, one a line. An engine that may not give one refuses ALL, and a recent one refuses
# to drop what it cannot give.
capabilities() {
  bounding=$(sed -n 's/^CapBnd:[^0-9a-f]*//p' /proc/self/status)
  number=0
  for capability in $capability_names; do
    [ $((0x$bounding >> number & 1)) = 0 ] || echo "$capability"
    number=$((number + 1))
  done
}

create_box() {
  choose_ports
  read_ports
  if [ "$(docker info --format '{{.CgroupVersion}}')" = 1 ]; then
    # shellcheck disable=SC2046 # a list
    set -- $(capabilities | sed 's/^/--cap-add=/') --security-opt seccomp=unconfined \
      --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
      --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw
  else
    set -- --privileged --cgroupns=private
  fi
  docker create --name "$box_container" --hostname "$box_name" --init "$@" \
    --memory 1g --memory-swap 1g --tmpfs /run:exec,mode=755 -v "$box_volume:/var/lib/docker" \
    -p "127.0.0.1:$ssh_port:22" -p "127.0.0.1:$http_port:80" -p "127.0.0.1:$web_port:$web_port" \
    -e BOX_STORE="$box_store" --label sandbox.box="$checkout" --label sandbox.made-as="$box_made_as" \
    --label sandbox.engine="$box_engine $box_store" "$box_image" >/dev/null
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
