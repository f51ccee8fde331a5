#!/bin/sh
# Provides the Pulumi CLI: one on PATH that fits, else the npm package's download, else the Go module.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/facts.sh"
. "$here/lib/reach.sh"
. "$here/lib/pulumi.sh"

# The cached folder's programs (the CLI, and language hosts if it was downloaded) go into .sandbox/bin: as hard
# links or copies, because the CLI looks for language hosts where its own file lies.
put_cli() {
  # Size, date and name; the names are known.
  # shellcheck disable=SC2012
  wanted=$(ls -l "$cli_dir"/bin/pulumi* | awk '{ print $5, $6, $7, $8, $9 }')
  if [ -x "$state/bin/pulumi" ] && [ "$(cat "$cli_stamp" 2>/dev/null || true)" = "$wanted" ]; then return 0; fi
  drop_cli
  mkdir -p "$state/bin"
  for program in "$cli_dir"/bin/pulumi*; do
    place=$state/bin/${program##*/}
    ln "$program" "$place.tmp.$$" 2>/dev/null || cp "$program" "$place.tmp.$$"
    mv -f "$place.tmp.$$" "$place"
  done
  printf '%s\n' "$wanted" | write_file "$cli_stamp"
}

drop_cli() {
  rm -f "$cli_stamp"
  rm -f "$state"/bin/pulumi*
}

if version=$(cli_on_path); then
  [ ! -e "$cli_stamp" ] || drop_cli
  fact 'Pulumi CLI' real "$version, on PATH"
  exit 0
fi

if ! cli_cached; then
  cli_from_npm || cli_from_go
elif [ -n "${RETRY-}" ] && [ "$(cat "$cli_dir/source")" != downloaded ]; then
  cli_from_npm || say 'keeping the CLI that was built'
fi
put_cli
fact 'Pulumi CLI' real "$pulumi_version, $(cat "$cli_dir/source")"
