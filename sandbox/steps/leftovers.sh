#!/bin/sh
# Clears what a killed set-up left half done. Runs under the lock, so nothing of it is in use.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"

# debootstrap mounts proc and sys into the tree it makes: unmount before removing.
if [ -d "$cache/tmp" ]; then
  say "removing the remains in $cache/tmp"
  sed -n "s|^[^ ]* \($cache/tmp/[^ ]*\) .*|\1|p" /proc/mounts 2>/dev/null | LC_ALL=C sort -r | while IFS= read -r mount; do
    umount "$mount"
  done
  rm -rf --one-file-system "$cache/tmp"
fi
find "$state" "$cache" -maxdepth 2 -name '*.tmp.*' -prune -exec rm -rf {} + 2>/dev/null || true

# In a copy of a checkout, links and keys still belong to the original: they are made again. Stacks stay.
if [ -e "$state/checkout" ] && [ "$(cat "$state/checkout")" != "$checkout" ]; then
  say 'this checkout is a copy or was moved: making its links and keys again'
  rm -rf "${state:?}/bin" "$state/box" "$state/env" "$state/cli" "$facts" "$state/pulumi-home/plugins"
fi
printf '%s\n' "$checkout" | write_file "$state/checkout"
