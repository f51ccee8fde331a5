# shellcheck shell=sh
# Builds an image with docker's own client: on the deployer's machine, from where it is shipped to the host, only the
# layers that the host lacks, as one compressed stream; or on the host. Runs here and not on the host, so it may find
# macOS's tools as well as GNU's.
#
# Told by lines: tag, place (local or host), platform, context, dockerfile, target, arg BASE64 (NAME=VALUE), secret NAME,
# ssh WORD (the connection, a word a line). And by the environment, what is nobody's to see: BUILD_SECRET_<NAME>, and
# BUILD_LOGINS, a config.json of docker's client.

build_image() {
  tag=$(payload_value tag)
  trap 'rm -rf "${folder:-}" "${logins:-}"' EXIT
  if [ "$(payload_value place)" = host ]; then build_there; else build_here; fi
}

build_here() {
  if ! complaint=$(docker version 2>&1 >/dev/null); then
    say "no Docker engine answers on this machine: $(say "$complaint" | tail -n 1)"
    return 1
  fi
  here=$(docker info --format '{{.ID}}' 2>/dev/null)
  there=$(on_host "docker info --format '{{.ID}} {{.DriverStatus}}'" </dev/null) || return 1
  began=$(date +%s)
  build || return 1
  if [ "$here" = "${there%% *}" ] && arrived; then return 0; fi
  say "built on this machine in $(($(date +%s) - began)) s"
  ship || return 1
  # The build cache keeps the layers; the name would stay for ever.
  docker image rm "$tag" >/dev/null 2>&1 || :
}

build() {
  if [ -n "${BUILD_LOGINS:-}" ]; then use_logins || return 1; fi
  with_arguments build_local --file "$(payload_value dockerfile)"
}

build_local() { DOCKER_BUILDKIT=1 docker build "$@" "$(payload_value context)" 2>&1; }

# with_arguments COMMAND ARGUMENT...: runs it with all arguments of the build.
with_arguments() {
  set -- "$@" --progress plain --platform "$(payload_value platform)" --tag "$tag"
  target=$(payload_value target)
  if [ -n "$target" ]; then set -- "$@" --target "$target"; fi
  while read -r argument; do
    # The dot keeps the newlines that end a value.
    value=$(unpack "$argument" && printf .)
    [ -z "$argument" ] || set -- "$@" --build-arg "${value%.}"
  done <<END
$(payload_lines arg)
END
  for name in $(payload_lines secret); do set -- "$@" --secret "id=$name,env=BUILD_SECRET_$name"; done
  "$@"
}

# use_logins: docker's client finds them, and no others, in a folder of its own; its engine and plugins stay those of
# whoever deploys.
use_logins() {
  mine=${DOCKER_CONFIG:-$HOME/.docker}
  engine=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)
  logins=$(umask 077 && mktemp -d) || return 1
  printf '%s' "$BUILD_LOGINS" >"$logins/config.json"
  [ ! -d "$mine/cli-plugins" ] || ln -s "$mine/cli-plugins" "$logins/cli-plugins"
  export DOCKER_CONFIG="$logins" DOCKER_HOST="${DOCKER_HOST:-$engine}"
  unset DOCKER_CONTEXT
}

# What the host does: takes logins, secrets and arguments by lines on stdin, then the context as an archive. A folder in
# memory, where there is one, holds the logins as long as the build lasts.
# shellcheck disable=SC2016 # for the host's sh
build_on_host='
unpack() { printf %s "$1" | base64 -d; }
umask 077
trap "rm -rf \"\${folder:-}\"" EXIT
trap "exit 1" HUP INT TERM
set --
while read -r word name value; do
  case $word in
    logins)
      folder=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
      unpack "$name" >"$folder/config.json"
      plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
      [ ! -d "$plugins" ] || ln -s "$plugins" "$folder/cli-plugins"
      export DOCKER_CONFIG="$folder"
      ;;
    secret)
      value=$(unpack "$value" && printf .)
      export "BUILD_SECRET_$name=${value%.}"
      ;;
    arg)
      value=$(unpack "$name" && printf .)
      set -- "$@" "${value%.}"
      ;;
    context) break ;;
  esac
done
DOCKER_BUILDKIT=1 docker build "$@" - 2>&1'

build_there() {
  context=$(payload_value context)
  dockerfile=$(payload_value dockerfile)
  case $dockerfile in
    "$context"/*)
      inside=${dockerfile#"$context"/}
      set -- .
      ;;
    *)
      inside=.dockerfile.deploy
      folder=$(mktemp -d) && cp "$dockerfile" "$folder/$inside" || return 1
      set -- . -C "$folder" "$inside"
      ;;
  esac
  {
    [ -z "${BUILD_LOGINS:-}" ] || say "logins $(packed "$BUILD_LOGINS")"
    for name in $(payload_lines secret); do say "secret $name $(eval "packed \"\${BUILD_SECRET_$name}\"")"; done
    with_arguments say_arguments --file "$inside"
    say context
    COPYFILE_DISABLE=1 tar -c -f - -C "$context" "$@"
  } | on_host "$build_on_host" && return
  say "if the host's docker lacks buildx, install it there (Debian: docker-buildx or docker-buildx-plugin), or set build: local"
  return 1
}

say_arguments() { for argument; do say "arg $(packed "$argument")"; done; }
packed() { printf '%s' "$1" | base64 | tr -d '\n'; }

# arrived: a host that is this very machine under another address has it now. Cloned machines may bear one engine's ID.
arrived() {
  id="docker image inspect --format '{{.Id}}' $tag"
  [ "$(on_host "$id" </dev/null 2>/dev/null)" = "$(eval "$id")" ]
}

ship() {
  folder=$(mktemp -d) || return 1
  had=0
  docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' "$tag" | grep . >"$folder/layers" || return 1
  # What is kept in containerd is loaded whole: it wants every layer that an archive names.
  case $there in *io.containerd.snapshotter*) ;; *) had=$(layers_on_host) || return 1 ;; esac
  mkdir "$folder/image" && docker save "$tag" | tar -x -f - -C "$folder/image" || return 1
  whole=$(size_of "$folder/image")
  if [ "$had" -gt 0 ]; then
    leave_out "$had"
    if send; then return; fi
    say "the host did not take the layers alone: sending the whole image"
    rm -rf "$folder/image"
    mkdir "$folder/image" && docker save "$tag" | tar -x -f - -C "$folder/image" || return 1
    had=0
  fi
  send
}

# layers_on_host: of how many of our layers, counted from the base, the host has an image that begins with the same.
layers_on_host() {
  on_host "docker images -q --no-trunc | sort -u | xargs -r docker image inspect --format '{{range .RootFS.Layers}}{{.}} {{end}}'" </dev/null |
    awk -v ours="$folder/layers" '
      BEGIN { while ((getline layer < ours) > 0) want[++n] = layer }
      { k = 0; while (k < n && $(k + 1) == want[k + 1]) k++; if (k > most) most = k }
      END { print most + 0 }'
}

# leave_out COUNT: takes the files of the first layers out, unless a later layer has the same content: it may be a link.
leave_out() {
  sed 's/.*"Layers":\[\([^]]*\)\].*/\1/' "$folder/image/manifest.json" | tr ',' '\n' | tr -d '"' >"$folder/files"
  [ "$(grep -c . "$folder/files")" = "$(grep -c . "$folder/layers")" ] || return 0
  awk -v count="$1" -v files="$folder/files" '
    { layer[NR] = $0; if (NR > count) needed[$0] = 1; getline file[NR] < files }
    END { for (i = 1; i <= count; i++) if (!(layer[i] in needed)) print file[i] }' "$folder/layers" |
    while IFS= read -r file; do rm -f "$folder/image/$file"; done
}

send() {
  began=$(date +%s)
  tar -c -f - -C "$folder/image" . | gzip | dd bs=65536 2>"$folder/sent" | on_host "docker load -q" >"$folder/loaded" 2>&1 || {
    say "the host did not take the image: $(tail -n 1 "$folder/loaded")"
    return 1
  }
  sent=$(sed -n 's/^\([0-9]*\) bytes.*/\1/p' "$folder/sent")
  sent=${sent:-0}
  say "shipped $((sent / 1024)) KiB compressed, of an image of $((whole / 1024)) KiB: $had of $(grep -c . "$folder/layers") layers were on the host already ($(($(date +%s) - began)) s)"
}

# on_host COMMAND: runs it there; its input is ours.
on_host() {
  remote=$1
  set --
  while IFS= read -r word; do set -- "$@" "$word"; done <<END
$(payload_lines ssh)
END
  "$@" "$remote"
}

# Bytes of the files in a folder, whatever the file system makes of them.
size_of() { find "$1" -type f -exec wc -c {} + | awk '$2 != "total" { sum += $1 } END { printf "%d\n", sum }'; }
say() { printf '%s\n' "$*"; }
# macOS of some years ago knew only -D.
unpack() { printf '%s' "$1" | base64 -d 2>/dev/null || printf '%s' "$1" | base64 -D; }
payload_value() { payload | sed -n "/^$1 /{s///p;q;}"; }
payload_lines() { payload | sed -n "s/^$1 //p"; }
