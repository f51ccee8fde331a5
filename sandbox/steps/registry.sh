#!/bin/sh
# A registry for the tests of private images: Debian's docker-registry, unpacked beside everything else. Installed, it would
# be a service of this machine, open to the network.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"

program=$cache/docker-registry/usr/bin/docker-registry
if [ ! -x "$program" ]; then
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    warn 'docker-registry can only be fetched by root on Debian: the tests of private images will fail'
    exit 0
  fi
  folder=$cache/docker-registry.$$
  rm -rf "$folder"
  mkdir -p "$folder"
  # The download runs as a user of apt's own.
  chmod 777 "$folder"
  if ! { (cd "$folder" && { apt-get download -q docker-registry || { apt-get update -q && apt-get download -q docker-registry; }; }) &&
    dpkg -x "$folder"/docker-registry_*.deb "$folder"; } >"$folder/log" 2>&1 </dev/null; then
    tail -n 5 "$folder/log" >&2
    rm -rf "$folder"
    # Nothing else needs it.
    warn 'apt-get could not fetch docker-registry: the tests of private images will fail'
    exit 0
  fi
  chmod 755 "$folder"
  rm -rf "$cache/docker-registry" "$folder"/*.deb
  mv "$folder" "$cache/docker-registry"
fi
mkdir -p "$state/bin"
ln -sfn "$program" "$state/bin/docker-registry"
