# shellcheck shell=sh
# exec, cp, logs, run. What the product runs inside a container is really run, by the sh that the test has chosen, with
# inside/ first on its PATH and the container's paths turned into the world's.

# translate WORD: sets translated.
translate() {
  left=$1
  translated=
  while :; do
    case $left in
      */etc/nginx/state*)
        translated=$translated${left%%/etc/nginx/state*}$world/volumes/proxy
        left=${left#*/etc/nginx/state}
        ;;
      /tmp/*.sock)
        translated=$container/sockets/
        left=${left#/tmp/}
        ;;
      */proc/net/tcp*)
        translated=$translated${left%%/proc/net/tcp*}$container/net-tcp
        left=${left#*/proc/net/tcp}
        ;;
      *) break ;;
    esac
  done
  translated=$translated$left
}

docker_exec() {
  interactive=no user=
  while :; do
    case $1 in
      -i) interactive=yes ;;
      -u)
        user=$2
        shift
        ;;
      -*) refuse "exec $*" ;;
      *) break ;;
    esac
    shift
  done
  find "$1"
  shift
  case "$1 ${3:-}" in
    "sh "*"mv "*)
      [ "$role $user $interactive" = "proxy 0:0 yes" ] || refuse "exec that writes into $key as '$user'"
      act calls "write ${3##*/}"
      ;;
    "nginx "*/nginx.conf) act calls "reload $key" ;;
    "sh "*pg_dump*) act asked "dump $key" ;;
    "sh "*psql*)
      case ${4:-} in
        password) act calls "password $key" ;;
        *) act asked "${4:-psql} $key" ;;
      esac
      ;;
    "sh "*) act asked "${4:-sh} $key ${5:-}" ;;
    *) act asked "exec $key $*" ;;
  esac
  state_of "$container"
  [ "$status" = running ] || complain "Container $id is not running"
  # An engine that fails to start what it is asked to, for some more times.
  if [ "${4:-}" = poll ] && [ -f "$container/unstarted" ] && read -r more <"$container/unstarted" && [ "$more" -gt 0 ]; then
    echo $((more - 1)) >"$container/unstarted"
    echo "OCI runtime exec failed: exec failed: unable to start container process: read init-p: connection reset by peer: unknown" >&2
    exit 126
  fi
  arguments=$#
  while [ $arguments -gt 0 ]; do
    translate "$1"
    shift
    set -- "$@" "$translated"
    arguments=$((arguments - 1))
  done
  # The rest sees the container's own environment and nothing of the caller's descriptors.
  set -a
  . "$container/env"
  set +a
  FAKE_CONTAINER=$container PATH=$here/inside:$PATH
  export FAKE_CONTAINER PATH
  case $interactive in
    yes) "$@" ;;
    no) "$@" </dev/null ;;
  esac
}

# run: a proxy's image, apart from everything. What it is given is really read, by inside/nginx.
docker_run() {
  case $* in
    "--rm --network none --label deploy.stack="*" --read-only --memory 32m --user 0:0 --cap-drop ALL --cap-add DAC_READ_SEARCH --security-opt no-new-privileges --volume "*":ro --entrypoint sh image:"*" -c "*" fits "*)
      # Its data is the world's own, and fits; fits.test.ts runs the probe.
      act asked "fits"
      echo 999
      return
      ;;
    "--rm -i --network none --label deploy.stack="*" --user "*" --read-only --cap-drop ALL --tmpfs /tmp --tmpfs /etc/nginx/state:mode=1777 -e SITE_SCRIPT --entrypoint sh image:"*" -c "*" rehearse /etc/nginx/state") ;;
    *) refuse "run $*" ;;
  esac
  while [ "$1" != -c ]; do
    case $1 in image:*) key=${1#image:} ;; esac
    shift
  done
  act asked "rehearse $key"
  apart=$(mktemp -d) || exit 125
  FAKE_CONTAINER=$apart PATH=$here/inside:$PATH
  export FAKE_CONTAINER PATH
  sh -c "$2" rehearse "$apart"
  code=$?
  rm -r "$apart"
  return $code
}

# cp FILE ID:PATH, into a container that does not run.
docker_cp() {
  # The oldest client that is supported does not know -q; the world says which one this is.
  if [ "$1" = -q ]; then
    grep -q ' 20\.' "$world/version" && {
      echo "unknown shorthand flag: 'q' in -q" >&2
      return 125
    }
    shift
  fi
  [ $# = 2 ] || refuse "cp $*"
  find "${2%%:*}"
  act calls "cp ${2##*/}"
  state_of "$container"
  [ "$status" != running ] || refuse "cp into $key, which runs"
  translate "${2#*:}"
  command cp "$1" "$translated"
}

docker_logs() {
  case "$1 $2 $3" in
    "--tail 2000 "[!-]*) shift 2 ;;
    "--tail 20000 --since") shift 4 ;;
    *) refuse "logs $*" ;;
  esac
  find "$1"
  act asked "logs $key"
  [ ! -f "$container/visited" ] || cat "$container/visited"
  printf 'listening, says %s\n' "$version"
  [ ! -f "$container/log" ] || cat "$container/log" >&2
}
