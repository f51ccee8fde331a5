#!/bin/sh
# Sees to it that every base image exists under its public name: pulled, else built.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$here/lib/common.sh"
. "$here/lib/facts.sh"
. "$here/lib/reach.sh"
. "$here/lib/client.sh"
. "$here/lib/images.sh"
. "$here/lib/debootstrap.sh"

# What changes a stand-in: its own folder, and the Debian that it is built on.
debian_recipe=$(content_hash "$here/lib/debootstrap.sh")

provide() {
  image=$1
  folder=${image%%:*}
  recipe=$debian_recipe
  if [ "$folder" != debian ]; then
    recipe=$(content_hash "$here/images/$folder" "$here/lib/debootstrap.sh")
  fi

  if have=$(recipe_of "$image"); then
    [ -n "$have" ] || { fact "$image" real 'from the registry'; return 0; }
    if [ "$have" = "$recipe" ] && [ -z "${RETRY-}" ]; then
      [ -n "$(fact_text "$image")" ] || fact "$image" stand-in "$(contents "$image")"
      return 0
    fi
  fi

  image_began=$(now_ms)
  if pull "$image"; then
    fact "$image" real 'from the registry'
    say "$image pulled ($(seconds_since "$image_began") s)"
    return 0
  fi
  if [ "$have" = "$recipe" ]; then return 0; fi
  if [ "$folder" = debian ]; then make_debian "$image" "$recipe"; else build_stand_in "$image" "$folder" "$recipe"; fi
  # Stand-ins whose names newer ones took.
  docker image prune -f --filter "label=$recipe_label" >/dev/null
  fact "$image" stand-in "$(contents "$image")"
  say "$image built ($(seconds_since "$image_began") s)"
}

# What a stand-in really holds.
contents() {
  case $1 in
    node:*) docker run --rm "$1" node --version ;;
    postgres:*) docker run --rm --entrypoint postgres "$1" --version ;;
    nginx:*) docker run --rm --entrypoint nginx "$1" -v 2>&1 ;;
    redis:*) docker run --rm "$1" redis-server --version ;;
    python:*) docker run --rm "$1" python --version ;;
    *) echo "Debian $(docker run --rm "$1" cat /etc/debian_version)" ;;
  esac
}

for image in $base_images; do
  provide "$image"
done
