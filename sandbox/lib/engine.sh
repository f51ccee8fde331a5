# shellcheck shell=sh
# Debian's dockerd, started by hand with its own data root, for machines where no engine runs.

engine_dir=$cache/docker
engine_log=$engine_dir/dockerd.log
engine_socket=/var/run/docker.sock

# The process id of the engine that we started; fails if it does not run.
# A pid alone proves nothing after a restart of the machine: the command line must be ours too.
engine_pid() {
  pid=$(cat "$engine_dir/dockerd.pid" 2>/dev/null) || return 1
  process_is "$pid" dockerd "$engine_dir/data" || return 1
  echo "$pid"
}

# process_is PID NAME ARGUMENT: does it run, and is it that program with that argument?
process_is() {
  [ -n "$1" ] && [ -r "/proc/$1/cmdline" ] || return 1
  tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | {
    IFS= read -r program
    [ "${program##*/}" = "$2" ] && grep -qF "$3"
  }
}

engine_start() {
  answer=$(docker version 2>&1 >/dev/null | tail -n 1)
  has dockerd || fail "no engine answers ($answer), and there is no dockerd to start: install docker.io or start your own"
  [ "$(id -u)" = 0 ] || fail "no engine answers ($answer), and only root can start one: start yours, or run this as root"
  say "starting dockerd with its data in $engine_dir"
  clear_stale_engine
  working_iptables
  sysctl -qw net.ipv4.ip_forward=1 2>/dev/null || true

  # Its own session, so that Ctrl-C in a demo does not stop it; without our lock (descriptor 9).
  PATH="$engine_dir/bin:$PATH" setsid dockerd \
    --data-root "$engine_dir/data" --exec-root "$engine_dir/exec" --pidfile "$engine_dir/dockerd.pid" \
    --host "unix://$engine_socket" --mtu "$(uplink_mtu)" \
    </dev/null >"$engine_log" 2>&1 9>&- &
  wait_for_engine $!
}

# Up to 60 seconds; a dockerd that exits ends the wait.
wait_for_engine() {
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    if ! kill -0 "$1" 2>/dev/null || [ "$tries" -gt 300 ]; then
      tail -n 15 "$engine_log" >&2
      fail "the engine did not come up; its whole log is $engine_log"
    fi
    sleep 0.2
  done
}

# What a killed engine left. Only for an engine that does not run.
clear_stale_engine() {
  mkdir -p "$engine_dir"
  rm -f "$engine_dir/dockerd.pid"
  containerd=$(cat "$engine_dir/exec/containerd/containerd.pid" 2>/dev/null || true)
  process_is "$containerd" containerd "$engine_dir/exec" || rm -f "$engine_dir/exec/containerd/containerd.pid"
  [ ! -S "$engine_socket" ] || rm -f "$engine_socket"

  # After a restart of the machine nothing that the exec root describes exists any more.
  boot=$(cat /proc/sys/kernel/random/boot_id)
  if [ "$(cat "$engine_dir/boot" 2>/dev/null || true)" != "$boot" ]; then
    rm -rf --one-file-system "$engine_dir/exec"
    printf '%s\n' "$boot" | write_file "$engine_dir/boot"
  fi
}

# iptables may be the nft or the legacy one, and not every kernel has both: the engine gets one that works.
working_iptables() {
  rm -rf "${engine_dir:?}/bin"
  iptables -t nat -nL >/dev/null 2>&1 && return 0
  for kind in legacy nft; do
    "iptables-$kind" -t nat -nL >/dev/null 2>&1 || continue
    mkdir -p "$engine_dir/bin"
    ln -s "$(command -v "iptables-$kind")" "$engine_dir/bin/iptables"
    ln -s "$(command -v "ip6tables-$kind")" "$engine_dir/bin/ip6tables"
    return 0
  done
  fail "the engine needs iptables, which does not work here: $(iptables -t nat -nL 2>&1 | head -n 1)"
}

# Packets of containers that are larger than the uplink takes get lost.
uplink_mtu() {
  interface=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
  cat "/sys/class/net/${interface:-none}/mtu" 2>/dev/null || echo 1500
}

# Stops only the engine that we started; containers get up to 15 seconds.
engine_stop() {
  pid=$(engine_pid) || {
    say 'no engine of ours is running'
    return 0
  }
  kill "$pid"
  tries=0
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || fail "the engine (process $pid) does not stop; its log is $engine_log"
    sleep 0.2
  done
  say 'engine stopped'
}
