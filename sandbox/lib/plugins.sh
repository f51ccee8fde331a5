# shellcheck shell=sh
# Pulumi's plugins: the real ones where they can be had, else the stand-ins of sandbox/plugins.
# Everything lies in the checkout's own PULUMI_HOME; ~/.pulumi is read, never written.

pulumi_home=$state/pulumi-home
stand_in_mark=STAND-IN

plugin_folder() { echo "$pulumi_home/plugins/resource-$1-v$2"; }

# real_plugin NAME VERSION: makes the real plugin available, and says how; fails if it cannot be had.
real_plugin() {
  folder=$(plugin_folder "$1" "$2")
  if has "pulumi-resource-$1"; then
    rm -rf "$folder" # the engine would take the one on PATH all the same, with a warning
    echo 'on PATH'
  elif [ -x "$folder/pulumi-resource-$1" ] && [ ! -e "$folder/$stand_in_mark" ]; then
    echo 'installed'
  elif [ -x "${PULUMI_HOME:-$HOME/.pulumi}/plugins/${folder##*/}/pulumi-resource-$1" ]; then
    mkdir -p "$pulumi_home/plugins" &&
      cp -R "${PULUMI_HOME:-$HOME/.pulumi}/plugins/${folder##*/}" "$folder.tmp.$$" &&
      rm -rf "$folder" && mv "$folder.tmp.$$" "$folder" &&
      echo 'installed'
  elif [ -e "$folder" ] && [ -z "${RETRY-}" ]; then
    return 1
  else
    download_plugin "$1" "$2" && echo 'downloaded'
  fi
}

# At most 5 minutes each; installed beside its place and moved there when whole.
download_plugin() {
  pulumi_downloads_reached >&2 || return 1
  home=$pulumi_home/download.tmp.$$
  say "downloading the plugin $1 $2" >&2
  if PULUMI_HOME=$home PULUMI_SKIP_UPDATE_CHECK=true within 300 "$(pulumi_cli)" plugin install resource "$1" "$2" \
    >&2 </dev/null; then
    mkdir -p "$pulumi_home/plugins" && rm -rf "$folder" &&
      mv "$home/plugins/${folder##*/}" "$folder" && rm -rf "$home" && return 0
  fi
  rm -rf "$home"
  mark_unreached pulumi
  return 1
}

pulumi_cli() {
  if [ -x "$state/bin/pulumi" ]; then echo "$state/bin/pulumi"; else command -v pulumi; fi
}

# Bundles the stand-ins, one file each, so that they start fast; only when a source changed.
bundle_stand_ins() {
  sources=$(content_hash "$here/plugins" "$checkout/package-lock.json")
  [ "$(cat "$state/plugins/sources" 2>/dev/null || true)" != "$sources" ] || return 0
  say 'bundling the stand-ins'
  mkdir -p "$state/plugins"
  for bundle in docker command random language-nodejs; do
    (cd "$checkout" && node_modules/.bin/esbuild "sandbox/plugins/$bundle/index.ts" --bundle --platform=node \
      --target=node20 --format=cjs --log-level=error --external:typescript --external:ts-node \
      --outfile="$state/plugins/$bundle.js.tmp.$$") || fail "the stand-in $bundle could not be bundled"
    mv -f "$state/plugins/$bundle.js.tmp.$$" "$state/plugins/$bundle.js"
  done
  printf '%s\n' "$sources" | write_file "$state/plugins/sources"
}

# node_program FILE BUNDLE: an executable that runs a bundle; its path is relative, so a moved checkout works.
node_program() {
  mkdir -p "${1%/*}"
  # shellcheck disable=SC2016 # expanded by the program that is written here
  printf '#!/bin/sh\nexec node "${0%%/*}/%s" "$@"\n' "$2" >"$1.tmp.$$"
  chmod +x "$1.tmp.$$"
  mv -f "$1.tmp.$$" "$1"
}

stand_in_plugin() {
  folder=$(plugin_folder "$1" "$2")
  [ -e "$folder/$stand_in_mark" ] && [ -x "$folder/pulumi-resource-$1" ] && return 0
  rm -rf "$folder"
  mkdir -p "$folder"
  : >"$folder/$stand_in_mark"
  node_program "$folder/pulumi-resource-$1" "../../../plugins/$1.js"
}
