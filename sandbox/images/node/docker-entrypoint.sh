#!/bin/sh
# As in the official image: what is no command, or begins with a dash, is given to node.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null 2>&1; then
  set -- node "$@"
fi
exec "$@"
