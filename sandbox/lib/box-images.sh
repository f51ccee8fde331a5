# shellcheck shell=sh
# The box's own image, and the base images that its engine holds.

box_recipe=$(content_hash "$here/images/box" "$here/lib/debootstrap.sh")
box_image=sandbox-box:$box_recipe

build_box_image() {
  docker image inspect "$box_image" >/dev/null 2>&1 && return 0
  say 'building the image of the box'
  log=$(mktemp)
  if ! DOCKER_BUILDKIT=1 docker build -q -t "$box_image" "$here/images/box" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail 'the image of the box could not be built'
  fi
  rm -f "$log"
}

# Images of earlier recipes; one that another box still uses stays.
remove_old_box_images() {
  docker image ls --format '{{.Repository}}:{{.Tag}}' sandbox-box | grep -vxF "$box_image" |
    while IFS= read -r old; do docker image rm "$old" >/dev/null 2>&1 || true; done
}

# Images of services are built from these inside the box, which may not reach a registry; what only other tests use stays out.
box_base_images=$(printf %s "$base_images" | tr ' ' '\n' | grep -v '^debian:\|^nginx:1.22-' | tr '\n' ' ')

load_base_images() {
  # shellcheck disable=SC2086 # lists
  set -- $box_base_images
  have=$(in_box docker image inspect --format '{{.Id}}' "$@" 2>/dev/null || true)
  missing=
  for image in "$@"; do
    id=$(docker image inspect --format '{{.Id}}' "$image") || fail "$image is missing: run sandbox/setup"
    printf '%s\n' "$have" | grep -qxF "$id" || missing="$missing $image"
  done
  [ -n "$missing" ] || return 0
  say "loading$missing"
  # shellcheck disable=SC2086 # a list
  docker save $missing | docker exec -i "$box_container" docker load -q >/dev/null || fail 'the base images could not be loaded'
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
