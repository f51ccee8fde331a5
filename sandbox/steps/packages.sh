#!/bin/sh
# Installs the Debian packages whose commands are missing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/client.sh"

# command:package, for every machine; then what only a machine without a running engine needs.
wanted='ssh:openssh-client ssh-agent:openssh-client curl:curl shellcheck:shellcheck ps:procps flock:util-linux docker:docker.io'
if ! engine_answers; then
  wanted="$wanted dockerd:docker.io iptables:iptables setsid:util-linux"
fi
if ! engine_answers || ! base_images_exist; then
  wanted="$wanted debootstrap:debootstrap"
fi

packages=
for pair in $wanted; do
  has "${pair%%:*}" || packages="$packages ${pair#*:}"
done
packages=$(printf '%s\n' "$packages" | tr ' ' '\n' | sort -u | xargs)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" != 0 ] || ! has apt-get; then
  warn "these programs are missing and can only be installed by root on Debian: $packages"
  warn 'install them, or start a Docker engine of your own; going on without'
  exit 0
fi

say "installing $packages"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# A killed run may have left packages unpacked but not configured.
# shellcheck disable=SC2086 # a list
if ! {
  dpkg --configure -a &&
    apt-get update -q &&
    apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=120 $packages
} >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  rm -f "$log"
  fail "apt-get could not install: $packages"
fi
rm -f "$log"
