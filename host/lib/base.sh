# shellcheck shell=sh
# Words that every script on the host uses: saying, time, and the docker client.
# Needs on the host: a POSIX sh, coreutils, findutils and awk or busybox, flock, setsid, timeout, docker. No curl, no jq.

newline='
'

say() { printf '%s\n' "$*"; }

# A clock that nobody sets: hundredths of a second since boot.
now() {
  read -r uptime _ </proc/uptime
  printf '%s%s\n' "${uptime%.*}" "${uptime#*.}"
}

# seconds_since START: "1.2", for people.
seconds_since() {
  spent=$(($(now) - $1))
  printf '%d.%d' $((spent / 100)) $((spent % 100 / 10))
}

# docker_within SECONDS ARGUMENTS...: an engine that does not answer must not keep a release, and its lock, for ever.
# The lock is held through descriptor 9: no child may inherit it, or the lock would outlive its holder.
docker_within() {
  limit=$1
  shift
  timeout -k 5 "$limit" docker "$@" 9>&-
  answered=$?
  [ $answered != 124 ] || say "no answer from the Docker engine within $limit s (docker $1)" >&2
  return $answered
}
docker() { docker_within 120 "$@"; }
# docker_each ARGUMENTS...: with the words of its input as further ones; not at all without any. xargs knows programs and
# not the function above: the same bound, and no lock to inherit.
docker_each() { xargs -r timeout -k 5 120 docker "$@" 9>&-; }
rest() { sleep "$1" 9>&-; }

# unpack BASE64: the plan carries free text as base64, so that no quoting rule touches it.
unpack() { printf '%s' "$1" | base64 -d; }

# indent: shows text of others (container logs) as a quotation.
indent() { sed 's/^/    | /'; }
