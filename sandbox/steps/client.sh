#!/bin/sh
# Chooses a Docker client that can build with BuildKit, and links it if it is not the first on PATH.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/client.sh"
. "$here/lib/facts.sh"

client=$(fitting_client)
[ -n "$client" ] || fail 'no docker client on PATH can build with BuildKit: install docker.io, or docker with buildx'

mkdir -p "$state/bin"
if [ "$client" = "$(docker_clients | head -n 1)" ]; then
  rm -f "$state/bin/docker"
elif [ "$(readlink "$state/bin/docker" || true)" != "$client" ]; then
  say "the first docker on PATH lacks buildx, using $client"
  ln -sf "$client" "$state/bin/docker.tmp.$$" && mv -f "$state/bin/docker.tmp.$$" "$state/bin/docker"
fi
fact 'Docker client' real "$("$client" --version | sed 's/^Docker version //; s/,.*//')"
