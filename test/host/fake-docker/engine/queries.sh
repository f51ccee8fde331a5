# shellcheck shell=sh
# ps, inspect, events, images, info, rmi, version, volume.

docker_ps() {
  act asked "ps $*"
  all=no whole=no format='{{.ID}}' stack_wanted='' role_wanted='' status_wanted=''
  while [ $# -gt 0 ]; do
    case $1 in
      -q) ;;
      -a | -aq) all=yes ;;
      --no-trunc) whole=yes ;;
      --filter)
        case $2 in
          label=deploy.stack=*) stack_wanted=${2#label=deploy.stack=} ;;
          label=deploy.role=*) role_wanted=${2#label=deploy.role=} ;;
          status=*) status_wanted=${2#status=} ;;
          *) refuse "ps --filter $2" ;;
        esac
        shift
        ;;
      --format)
        format=$2
        shift
        ;;
      *) refuse "ps $*" ;;
    esac
    shift
  done
  for container in "$world"/containers/*; do
    [ -f "$container/state" ] || continue
    . "$container/about"
    state_of "$container"
    # Without -a the real client also lists what is paused or restarts.
    case $all$status in yes* | norunning | nopaused | norestarting) ;; *) continue ;; esac
    [ "${status_wanted:-$status}" = "$status" ] || continue
    [ "${stack_wanted:-$stack}" = "$stack" ] && [ "${role_wanted:-$role}" = "$role" ] || continue
    id=${container##*/}
    [ $whole = yes ] || id=$(printf '%.12s' "$id")
    case $format in
      '{{.ID}}') printf '%s\n' "$id" ;;
      'mounts {{.State}} {{.Label "deploy.stack"}} {{.Mounts}}') printf 'mounts %s %s \n' "$status" "$stack" ;;
      'container {{.ID}} {{.Label "deploy.key"}} {{.Label "deploy.role"}} {{.State}}')
        printf 'container %s %s %s %s\n' "$id" "$key" "$role" "$status"
        ;;
      *) refuse "ps --format $format" ;;
    esac
  done
  # Containers of others: mounts has STATE STACK|none SOURCES
  case $format in
    mounts*) while read -r status stack sources; do printf 'mounts %s %s %s\n' "$status" "${stack#none}" "$sources"; done <"$world/mounts" ;;
  esac
}

# Events of a container: the kernel's killing, if its folder says `oom`; its ends, with the exit code of the last one.
# Asked up to a moment with its fraction: docker cuts "0s" to the second.
docker_events() {
  case "$*" in
    "--since 5m --until "*.*" --filter container="*" --filter event=oom") event=oom ;;
    "--since 5m --until "*.*" --filter container="*" --filter event=die --format {{.Actor.Attributes.exitCode}}") event=die ;;
    *) refuse "events $*" ;;
  esac
  find "${6#container=}"
  act asked "events $key"
  case $event in
    oom) [ ! -f "$container/oom" ] || printf '2026-01-01T00:00:00.000000000Z container oom %s (deploy.key=%s)\n' "$id" "$key" ;;
    die)
      state_of "$container"
      printf '%s\n' "$exit_code"
      ;;
  esac
}

docker_inspect() {
  [ "$1" = -f ] || refuse "inspect $*"
  format=$2
  shift 2
  for reference in "$@"; do
    find "$reference"
    act asked "inspect $key"
    state_of "$container"
    case $format in
      '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{.State.OOMKilled}}')
        live_on
        printf '%s\n' "$status $restarts $exit_code $oom"
        ;;
      '{{.Name}} {{.State.Pid}} {{.HostConfig.Memory}} {{or (index .Config.Labels "deploy.stack") "-"}} {{or (index .Config.Labels "deploy.key") "-"}}')
        memory=0
        [ ! -f "$container/memory" ] || read -r memory <"$container/memory"
        if [ "$status" = running ]; then pid=$$; else pid=0; fi
        [ ! -f "$container/pid" ] || read -r pid <"$container/pid"
        printf '/%s %s %s %s %s\n' "$key-name" "$pid" "$memory" "${stack:--}" "${key:--}"
        ;;
      # The fake knows no image by its ID but those of its list.
      'image {{.Config.Image}} {{.Image}}')
        . "$container/about"
        printf 'image %s %s\n' "$image" "$(awk -v image="$image" '$1 == image { print ($2 == "" ? "sha256:of-" $1 : $2); exit }' "$world/images")"
        ;;
      '{{with .Config.Healthcheck}}'*) cat "$container/check" 2>/dev/null ;;
      '{{.Config.User}}') cat "$container/user" 2>/dev/null || echo ;;
      '{{.Config.Image}}') printf '%s\n' "$image" ;;
      '{{range .Mounts}}'*) cat "$container/mounts" 2>/dev/null ;;
      '{{.State.Running}}') if [ "$status" = running ]; then echo true; else echo false; fi ;;
      '{{.State.ExitCode}}') printf '%s\n' "$exit_code" ;;
      '{{.State.Pid}}') if [ "$status" = running ]; then echo "$$"; else echo 0; fi ;;
      '{{.ID}} {{.State.Status}} {{.RestartCount}} {{if .State.Health}}'*)
        printf '%s %s %s %s %s %s %s\n' "$id" "$status" "$restarts" "$(cat "$container/health" 2>/dev/null || echo none)" \
          "$(cat "$container/memory" 2>/dev/null || echo 0)" "$(cat "$container/restart")" \
          "$(tr '\n' , <"$container/networks")"
        ;;
      '{{range $name, $network := .NetworkSettings.Networks}}{{$name}}={{$network.NetworkID}} {{end}}')
        tr '\n' ' ' <"$container/networks"
        ;;
      '{{.Image}} {{or .Config.User "0"}}{{range .Mounts}}'*)
        printf 'image:%s 999:999 %s /var/lib/postgresql/data\n' "$key" shop-test-database
        ;;
      '{{.Image}} {{.Config.User}}{{range .Mounts}}'*) printf 'image:%s 101:101\n' "$key" ;;
      '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}') printf '%s \n' "$ip" ;;
      *) refuse "inspect -f $format" ;;
    esac
  done
}

# A container that comes to harm does so after its start has been seen once.
live_on() {
  [ "$status" = running ] && [ -f "$container/acts" ] || return 0
  read -r acts <"$container/acts"
  case $acts in crash | restart | oom | oom-again | vanish) ;; *) return 0 ;; esac
  if [ ! -f "$container/looked" ]; then
    : >"$container/looked"
    return 0
  fi
  case $acts in
    crash) become "$container" exited 0 3 false ;;
    restart) become "$container" running 1 3 false ;;
    oom) become "$container" exited 0 137 true ;;
    oom-again)
      : >"$container/oom"
      become "$container" running 1 0 false
      ;;
    vanish)
      rm -r "$container"
      complain "No such container: $id"
      ;;
  esac
  state_of "$container"
}

# images: TAG and, where a test cares, ID a line; else the ID follows from the tag.
docker_images() {
  case "$1 $2 ${3:-}" in
    "-q --no-trunc --filter") prefix='' shown=sums pattern=${4#reference=} ;;
    '--no-trunc --format image {{.Repository}}:{{.Tag}} {{.ID}}') prefix='image ' shown=ids pattern='*' ;;
    '--no-trunc --format {{.Repository}}:{{.Tag}} {{.ID}}') prefix='' shown=ids pattern=$4 ;;
    '--format {{.Repository}}:{{.Tag}} '*) prefix='' shown=tags pattern=$3 ;;
    *) refuse "images $*" ;;
  esac
  act asked "images $pattern"
  while read -r image id; do
    # shellcheck disable=SC2254 # it is a pattern
    case $image in $pattern) ;; *) continue ;; esac
    case $shown in
      ids) printf '%s%s %s\n' "$prefix" "$image" "${id:-sha256:of-$image}" ;;
      tags) printf '%s\n' "$image" ;;
      sums) printf '%s\n' "${id:-sha256:of-$image}" ;;
    esac
  done <"$world/images"
}

# Each would run as root, and has no check.
docker_image() {
  case "$1 $2 $3" in 'inspect -f {{.ID}}{{with .Config}} {{with .User}}'*) ;; *) refuse "image $*" ;; esac
  shift 3
  act asked "image inspect"
  for image in "$@"; do printf '%s - no\n' "${image#sha256:of-}"; done
}

docker_rmi() {
  [ "$1" != -f ] || shift
  for image in "$@"; do
    act calls "rmi $image"
    awk -v gone="$image" '$1 != gone' "$world/images" >"$world/images.new"
    mv "$world/images.new" "$world/images"
  done
}

docker_version() {
  [ "$*" = '--format {{.Server.Os}}/{{.Server.Arch}} {{.Server.Version}}' ] || [ $# = 0 ] || refuse "version $*"
  act asked version
  if ! cat "$world/version" 2>/dev/null; then
    echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
    return 1
  fi
}

# Every image has 10 MB of its own.
docker_system() {
  case $* in 'df -v --format {{range .Images}}layers {{.ID}} {{.UniqueSize}}'*) ;; *) refuse "system $*" ;; esac
  act asked "system df"
  while read -r image id; do printf 'layers %s 10MB\n' "${id:-sha256:of-$image}"; done <"$world/images"
}

docker_info() {
  act asked info
  case $* in
    '-f {{.DockerRootDir}}') echo "$world/volumes" ;;
    '-f {{.ID}}') echo ABCD:EFGH:IJKL ;;
    *) refuse "info $*" ;;
  esac
}

# volumes.list: NAME STACK ROLE MADE
docker_volume() {
  case $* in
    "ls --filter label=deploy.stack="*" --filter label=deploy.role="*" --format {{.Name}}") ;;
    'ls --format volume {{.Name}} {{or (.Label "deploy.made") 0}} {{.Label "deploy.stack"}}')
      act asked "volume ls"
      while read -r name stack role made; do printf 'volume %s %s %s\n' "$name" "${made:-0}" "${stack#none}"; done <"$world/volumes.list"
      return
      ;;
    "ls -q --filter label=deploy.stack="*" --filter label=deploy.role="*)
      shift
      ;;
    "rm "*)
      shift
      for name in "$@"; do
        act calls "volume rm $name"
        grep -v "^$name " "$world/volumes.list" >"$world/volumes.new"
        mv "$world/volumes.new" "$world/volumes.list"
      done
      return
      ;;
    *) refuse "volume $*" ;;
  esac
  act asked "volume ls"
  while read -r name stack role _; do
    if [ "$3 $5" = "label=deploy.stack=$stack label=deploy.role=$role" ]; then printf '%s\n' "$name"; fi
  done <"$world/volumes.list"
}
