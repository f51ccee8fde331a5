#!/bin/sh
# Provides the provider plugins and the Node language host.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/facts.sh"
. "$here/lib/reach.sh"
. "$here/lib/pulumi.sh"
. "$here/lib/plugins.sh"

bundled=
need_stand_ins() {
  [ -n "$bundled" ] || bundle_stand_ins
  bundled=yes
}

for plugin in $plugin_versions; do
  name=${plugin%%=*}
  version=${plugin#*=}
  if how=$(real_plugin "$name" "$version"); then
    fact "Plugin $name" real "$version, $how"
  else
    need_stand_ins
    stand_in_plugin "$name" "$version"
    fact "Plugin $name" stand-in "$version"
  fi
done

# The real language host comes with the real CLI: beside it, or on PATH.
host=pulumi-language-nodejs
if [ -e "$cli_stamp" ] && [ -x "$cli_dir/bin/$host" ]; then
  fact 'Language host nodejs' real 'came with the CLI'
elif [ ! -e "$cli_stamp" ] && has "$host"; then
  rm -f "$state/bin/$host"
  fact 'Language host nodejs' real 'came with the CLI'
else
  need_stand_ins
  node_program "$state/bin/$host" '../plugins/language-nodejs.js'
  fact 'Language host nodejs' stand-in ''
fi
