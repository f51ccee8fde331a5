#!/bin/sh
# Writes .sandbox/env, which sandbox/run reads, and .sandbox/summary: what is real and what stands in.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/client.sh"

# A value as one word of sh, whatever is in it.
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

mkdir -p "$state/state" "$state/pulumi-home"
# The CLI writes all that its engine does into a compressed log of each run, a third of its time (docs/benchmarks.md). It goes
# without where that folder cannot be made.
if [ ! -f "$state/pulumi-home/logs" ]; then
  rm -rf "$state/pulumi-home/logs"
  : >"$state/pulumi-home/logs"
fi
{
  echo '# Written by sandbox/setup.'
  echo "sandbox_bin=$(quoted "$state/bin")"
  # shellcheck disable=SC2016 # expanded by who reads the file
  echo 'case $PATH in "$sandbox_bin":*) ;; *) PATH=$sandbox_bin:$PATH ;; esac'
  echo 'unset sandbox_bin'
  echo 'export PATH'
  echo "export PULUMI_HOME=$(quoted "$state/pulumi-home")"
  echo "export PULUMI_BACKEND_URL=$(quoted "file://$state/state")"
  echo "export PULUMI_CONFIG_PASSPHRASE=''"
  echo 'export PULUMI_SKIP_UPDATE_CHECK=true'
  address=$(engine_address)
  if [ "$address" != unix:///var/run/docker.sock ]; then echo "export DOCKER_HOST=$(quoted "$address")"; fi
} | write_file "$state/env"

# Runs on:      what  real|stand-in  version and origin
line() {
  file=$facts/$(printf %s "$1" | tr -c 'A-Za-z0-9.\n' '-')
  awk -F '\t' '{ printf "%-25s %-10s %s\n", $1, $2, $3 }' "$file"
}
{
  for subject in 'Pulumi CLI' 'Language host nodejs'; do line "$subject"; done
  for plugin in $plugin_versions; do line "Plugin ${plugin%%=*}"; done
  for subject in 'Docker client' 'Docker engine' $base_images; do line "$subject"; done
} | write_file "$state/summary"
