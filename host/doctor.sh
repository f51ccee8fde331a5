# shellcheck shell=sh
# What a deploy needs of this host, asked of a machine that may have nothing yet. A word and what was found a line; changes
# nothing (ops/doctor.ts says what it means).

doctor() {
  say "user $(id -un)"
  for tool in docker flock setsid timeout base64 awk sed find df; do
    command -v "$tool" >/dev/null 2>&1 || say "lacks $tool"
  done
  if version=$(docker_within 20 version --format '{{.Server.Version}}' 2>&1); then
    say "docker $version"
    if docker buildx version >/dev/null 2>&1; then say "buildx"; fi
  else
    say "refused $(say "$version" | tail -n 1)"
  fi
  state=$(payload_value state)
  where=$state
  until [ -e "$where" ] || [ "$where" = / ]; do where=$(dirname "$where"); done
  if [ -w "$where" ]; then say "writes $where"; else say "writes-not $where"; fi
  memory_now
  say "memory $total $((total - used))"
  disk_fact
  say "clock $(date +%s)"
  ! command -v crontab >/dev/null 2>&1 || say "cron"
  for port in $(payload_lines port); do holder_of "$port"; done
}

# holder_of PORT: who listens there: a container, or a process as far as this user may see it.
holder_of() {
  by=$(docker ps --filter "publish=$1" --format '{{.Names}} {{.Label "deploy.stack"}}' 2>/dev/null | head -n 1)
  if [ -n "$by" ]; then
    say "held $1 container $by"
  elif cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port="$(printf ':%04X$' "$1")" '$4 == "0A" && $2 ~ port { found = 1 } END { exit !found }'; then
    process=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | head -n 1)
    say "held $1 process $process"
  fi
}
