#!/bin/sh
# What init does on a real VPS: a machine id at the first boot, then sshd and the engine, which are kept running.
set -eu

[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
mkdir -p /run/sshd

# How the engine keeps images: in layers of its own (overlay2), or in containerd's store, the default of version 29.
containerd_store=false
[ "${BOX_STORE-}" != containerd ] || containerd_store=true
mkdir -p /etc/docker
cat >/etc/docker/daemon.json <<END
{
  "builder": { "gc": { "enabled": true, "defaultKeepStorage": "3GB" } },
  "features": { "containerd-snapshotter": $containerd_store }
}
END

# The containers' memory must count against the limit of this machine: their cgroups go below its own.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  # Version 2: a group with children in it may not hold processes, so ours move aside first.
  mkdir -p /sys/fs/cgroup/boot
  xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/boot/cgroup.procs 2>/dev/null || true
  sed -e 's/ / +/g' -e 's/^/+/' </sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
  parent=/containers
else
  parent=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)/containers
fi

iptables -t nat -nL >/dev/null 2>&1 || update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null

# The one interface but lo; a nested network with larger packets than the outer one loses some.
mtu=$(cat /sys/class/net/eth0/mtu)

# keep NAME COMMAND...: runs it again when it ends, until the machine is switched off.
keep() {
  name=$1
  shift
  while [ ! -e /run/switched-off ]; do
    "$@" || echo "$name ended with $?" >&2
    sleep 0.3
  done
}
rm -f /run/switched-off
keep sshd /usr/sbin/sshd -D -e &
keep cron cron -f &
keep dockerd dockerd --cgroup-parent "$parent" --mtu "$mtu" &
engine=$!

# Switching off: the engine stops its containers in good order.
switch_off() {
  : >/run/switched-off
  pkill -TERM -x dockerd || true
  wait "$engine" || true
  remove_cgroups
  exit 0
}

# The outer engine removes our cgroup, but not what the engine in here made below it.
remove_cgroups() {
  sed -n 's/^[0-9]*:\([^:]*\):\(.*\)/\1 \2/p' /proc/self/cgroup | while read -r controller path; do
    [ "$path" = / ] || find "/sys/fs/cgroup/${controller#name=}$path" -mindepth 1 -depth -type d -exec rmdir {} + || true
  done 2>/dev/null
}
trap switch_off TERM INT
wait
