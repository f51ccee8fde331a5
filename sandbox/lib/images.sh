# shellcheck shell=sh
# Base images: the registry's where it answers, else stand-ins of the same name, built from Debian's packages.

. "$here/images/node/versions.sh"

# A stand-in carries the hash of its recipe; a pulled image has no such label and is never touched.
recipe_label=sandbox.recipe

# Prints the recipe of an image, nothing for a pulled one; fails if there is no such image.
recipe_of() { docker image inspect --format "{{index .Config.Labels \"$recipe_label\"}}" "$1" 2>/dev/null; }

# Pulls an image; fails soon when no registry answers: without a manifest after 20 seconds, or an image after 10 minutes.
pull() {
  unreached registry && return 1
  mkdir -p "$cache/tmp"
  log=$cache/tmp/pull.log
  : >"$log"
  within 600 "$(docker_client)" pull "$1" >"$log" 2>&1 </dev/null &
  puller=$!
  tries=0
  while kill -0 "$puller" 2>/dev/null && ! grep -q 'Pulling from' "$log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || kill "$puller" 2>/dev/null || true
    sleep 0.2
  done
  wait "$puller" && return 0
  mark_unreached registry
  say 'no image registry answers, building stand-ins'
  return 1
}

# build_stand_in IMAGE FOLDER RECIPE: builds images/FOLDER, with what prepare_FOLDER puts beside its files. Of several
# versions each has a Dockerfile by its tag, or is told which it is: VERSION-RELEASE.
build_stand_in() {
  context=$cache/tmp/$2
  rm -rf "$context"
  mkdir -p "$cache/tmp"
  cp -R "$here/images/$2" "$context"
  case $2 in
    node) prepare_node "$context" ;;
  esac
  log=$cache/tmp/build.log
  tag=${1#*:}
  file=$context/$tag.Dockerfile
  [ -f "$file" ] || file=$context/Dockerfile
  DOCKER_BUILDKIT=1 docker build -q -t "$1" -f "$file" --build-arg "VERSION=${tag%%-*}" --build-arg "RELEASE=${tag#*-}" \
    --label "$recipe_label=$3" \
    --label "org.opencontainers.image.description=Stands in for $1 where no image registry is reached" \
    "$context" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    fail "could not build the stand-in for $1"
  }
}

# Node and npm come from the npm registry: the same binary as Node's own download.
prepare_node() {
  case $(uname -m) in
    x86_64) node_arch=x64 ;;
    aarch64 | arm64) node_arch=arm64 ;;
    *) fail "no package of Node for $(uname -m)" ;;
  esac
  for package in "node-linux-$node_arch@$node_version" "npm@$npm_version"; do
    folder=$1/${package%%@*}
    mkdir -p "$folder"
    archive=$(cd "$1" && npm pack --silent "$package" </dev/null) || fail "could not get the npm package $package"
    tar -xzf "$1/$archive" -C "$folder" --strip-components 1 --no-same-owner
    rm -f "${1:?}/$archive"
  done
  mv "$1/node-linux-$node_arch" "$1/node"
}
