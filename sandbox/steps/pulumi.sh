#!/bin/sh
# Provides the Pulumi CLI: one on PATH that fits, else the npm package's download, else the Go module.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/facts.sh"
. "$here/lib/reach.sh"
. "$here/lib/pulumi.sh"

# What the cached folder brings (the CLI, and language hosts if it was downloaded) goes into .sandbox/bin.
link_cli() {
  mkdir -p "$state/bin"
  for program in "$cli_dir"/bin/pulumi*; do
    link=$state/bin/${program##*/}
    [ "$(readlink "$link" 2>/dev/null || true)" = "$program" ] && continue
    ln -sf "$program" "$link.tmp.$$" && mv -f "$link.tmp.$$" "$link"
  done
}

# Links to a CLI that is no longer wanted; what is no link there (the stand-in language host) is left alone.
unlink_cli() {
  for link in "$state"/bin/pulumi*; do
    if [ -L "$link" ] && [ "${1-}" != "$(dirname "$(readlink "$link")")" ]; then rm -f "$link"; fi
  done
}

if version=$(cli_on_path); then
  unlink_cli
  fact 'Pulumi CLI' real "$version, on PATH"
  exit 0
fi

if ! cli_cached; then
  cli_from_npm || cli_from_go
elif [ -n "${RETRY-}" ] && [ "$(cat "$cli_dir/source")" != downloaded ]; then
  cli_from_npm || say 'keeping the CLI that was built'
fi
unlink_cli "$cli_dir/bin"
link_cli
fact 'Pulumi CLI' real "$pulumi_version, $(cat "$cli_dir/source")"
