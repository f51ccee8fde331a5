#!/bin/sh
# Installs node_modules when package-lock.json or the version of Node changed.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"

stamp=$checkout/node_modules/.sandbox-stamp
want="$(sha256 <"$checkout/package-lock.json") $(node --version)"
[ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ] || exit 0

say 'npm ci'
# npm ci begins by removing node_modules, and the stamp with it: a killed run is noticed.
rm -f "$stamp"
(cd "$checkout" && npm ci --no-audit --no-fund --loglevel=error) </dev/null || fail 'npm ci failed'
printf '%s\n' "$want" | write_file "$stamp"
