# shellcheck shell=sh
# The box's own image, and the base images that its engine holds.

# Which engine: Debian 12's, Debian 13's, or that of the release after it. The default is what people rent today.
box_engine=${BOX_ENGINE:-26.1}
case $box_engine in
  20.10) box_release=bookworm box_suite=bookworm ;;
  26.1) box_release=trixie box_suite=trixie ;;
  28.5) box_release=trixie box_suite=sid ;;
  *) fail "BOX_ENGINE must be 20.10, 26.1 or 28.5, is '$box_engine'" ;;
esac
box_store=${BOX_STORE:-overlay2}
case $box_store in
  overlay2) ;;
  containerd) [ "$box_engine" != 20.10 ] || fail 'BOX_STORE=containerd needs an engine of 24 or later' ;;
  *) fail "BOX_STORE must be overlay2 or containerd, is '$box_store'" ;;
esac

box_recipe=$(content_hash "$here/images/box" "$here/lib/debootstrap.sh")
box_image=sandbox-box:$box_engine-$box_recipe
box_made_as="$box_image $box_store"

build_box_image() {
  docker image inspect "$box_image" >/dev/null 2>&1 && return 0
  say "building the image of the box with Docker $box_engine"
  log=$(mktemp)
  if ! DOCKER_BUILDKIT=1 docker build -q -t "$box_image" --build-arg "RELEASE=$box_release" --build-arg "SUITE=$box_suite" \
    "$here/images/box" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail 'the image of the box could not be built'
  fi
  rm -f "$log"
}

# Images of earlier recipes; one that another box still uses stays.
remove_old_box_images() {
  docker image ls --format '{{.Repository}}:{{.Tag}}' sandbox-box | grep -v -- "-$box_recipe\$" |
    while IFS= read -r old; do docker image rm "$old" >/dev/null 2>&1 || true; done
}

# Images of services are built from these inside the box, which may not reach a registry; what only other tests use stays out.
box_base_images=$(printf %s "$base_images" | tr ' ' '\n' | grep -v '^debian:\|^nginx:1.22-\|^postgres:1[78]-' | tr '\n' ' ')

# The images that were loaded, by the ids of the engine outside: the one inside may count them otherwise.
loaded_list=/var/lib/docker/loaded-images
# shellcheck disable=SC2016 # for the sh inside
images_it_has='for image in "$@"; do
  ! docker image inspect "$image" >/dev/null 2>&1 || grep -F "$image " '$loaded_list' 2>/dev/null || true
done'
newline='
'

load_base_images() {
  # shellcheck disable=SC2086 # lists
  set -- $box_base_images
  have=$(in_box sh -c "$images_it_has" sh "$@")
  missing='' loaded=''
  for image in "$@"; do
    id=$(docker image inspect --format '{{.Id}}' "$image") || fail "$image is missing: run sandbox/setup"
    loaded="$loaded$image $id$newline"
    printf '%s\n' "$have" | grep -qxF "$image $id" || missing="$missing $image"
  done
  [ -n "$missing" ] || return 0
  say "loading$missing"
  # shellcheck disable=SC2086 # a list
  docker save $missing | docker exec -i "$box_container" docker load -q >/dev/null || fail 'the base images could not be loaded'
  printf %s "$loaded" | docker exec -i "$box_container" sh -c "cat >$loaded_list"
}

# Back to an engine that has only the base images and its build cache.
empty_engine() {
  docker exec -i "$box_container" sh -s -- "$@" <<'END'
set -eu
docker swarm leave --force >/dev/null 2>&1 || true
docker ps -aq | xargs -r docker rm -fv >/dev/null
docker network prune -f >/dev/null
docker volume ls -q | xargs -r docker volume rm -f >/dev/null
docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | while read -r name id; do
  case " $* " in
    *" $name "*) ;;
    *) case $name in *'<none>'*) name=$id ;; esac
       docker image rm -f "$name" >/dev/null ;;
  esac
done
END
}
