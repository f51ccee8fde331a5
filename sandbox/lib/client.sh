# shellcheck shell=sh
# The Docker client to use, and what it sees.

# Prints every docker on PATH, the first one first.
docker_clients() {
  printf %s "$PATH" | tr ':' '\n' | while IFS= read -r dir; do
    if [ -x "$dir/docker" ]; then printf '%s\n' "$dir/docker"; fi
  done
}

# A client builds with BuildKit if it brings buildx, or is older than 23, which needs none.
client_builds() {
  "$1" buildx version >/dev/null 2>&1 && return 0
  major=$("$1" --version | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p')
  [ "${major:-99}" -lt 23 ]
}

# Prints the first client that can build with BuildKit; nothing if there is none.
fitting_client() {
  docker_clients | while IFS= read -r candidate; do
    if client_builds "$candidate"; then
      printf '%s\n' "$candidate"
      break
    fi
  done
}

# The client of the sandbox: the fitting one once the set-up has found it, else the first on PATH.
docker_client() {
  if [ -x "$state/bin/docker" ]; then echo "$state/bin/docker"; else docker_clients | head -n 1; fi
}
docker() { "$(docker_client)" "$@"; }

# Prints the version of the engine that answers within 10 seconds; fails if none does.
engine_version() { within 10 "$(docker_client)" version --format '{{.Server.Version}}' 2>/dev/null; }
engine_answers() { engine_version >/dev/null; }

# Where the client finds the engine: DOCKER_HOST, the current context, or the default socket.
engine_address() { docker context inspect --format '{{.Endpoints.docker.Host}}'; }

base_images_exist() {
  # shellcheck disable=SC2086 # a list
  docker image inspect $base_images >/dev/null 2>&1
}
