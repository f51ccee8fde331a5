# shellcheck shell=sh
# Tells, in one round trip and without changing anything, what a plan must know of the host. Read by plan/found/facts.ts.

facts() {
  label=$(payload_value label)
  state=$(payload_value state)
  if ! server=$(docker_within 20 version --format '{{.Server.Os}}/{{.Server.Arch}} {{.Server.Version}}' 2>&1); then
    say "error no Docker engine answers on the host: $(say "$server" | tail -n 1)"
    return
  fi
  say "engine $server"
  for tool in flock setsid timeout base64 sha256sum; do
    command -v $tool >/dev/null || say "error the host lacks the command $tool (Debian: apt-get install util-linux coreutils)"
  done
  if [ "$(payload_value wait)" -gt 0 ]; then wait_for_runner "$(payload_value wait)"; fi
  runner_active && say "active $(at_work)"
  if [ -s "$state/journal" ]; then say "interrupted"; fi
  answers=$(mktemp -d) || {
    say "error the host has no room for a temporary folder: free some (docker builder prune)"
    return
  }
  trap 'rm -rf "$answers"' EXIT HUP INT TERM
  # What the engine tells is asked all at once: each answer takes it longer than all the rest here.
  ask memory_facts
  ask container_facts
  ask network_facts
  ask detail_facts
  ask proxy_facts
  ask image_facts
  ask list images --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}'
  ask list volume ls --format 'volume {{.Name}} {{or (.Label "deploy.made") 0}} {{.Label "deploy.stack"}}'
  ask list ps -a --no-trunc --format 'mounts {{.State}} {{.Label "deploy.stack"}} {{.Mounts}}'
  ask database_condition
  ask condition_facts
  ask cron_facts
  say "machine $(machine_id)"
  if [ -d "$state" ]; then
    sed 's/^/owner /' "$state/owner" 2>/dev/null
    sed 's/^/seen /' "$state/seen" 2>/dev/null
    sed 's/^/need /' "$state/needs" 2>/dev/null
    sed 's/^/current /' "$state/current" 2>/dev/null
    ledger_facts
  fi
  wait
  cat "$answers"/*.answer
  [ ! -f "$answers/broke-off" ] || say "error the Docker engine on the host broke off while it was asked: run this again"
  say "end"
}

# ask COMMAND...: beside whatever else is asked; its answer is told when all are there.
ask() {
  questions=$((${questions:-0} + 1))
  "$@" >"$answers/$questions.answer" &
}

# list ARGUMENTS...: of docker. What it complains of is said in one line at the end, and not in the middle of another
# answer. What is missing from an answer that broke off must not be taken for gone from the host.
list() { docker "$@" 2>/dev/null || : >"$answers/broke-off"; }

container_facts() {
  list ps -a --no-trunc --filter "label=$label" \
    --format 'container {{.ID}} {{.Label "deploy.key"}} {{.Label "deploy.role"}} {{.State}}'
}

# image-config ID USER CHECK: of the stack's own images and of those that it is to have from elsewhere. USER is - where it
# says none; CHECK is whether it has a check of its own.
image_config='{{.ID}}{{with .Config}} {{with .User}}{{.}}{{else}}-{{end}} {{if .Healthcheck}}yes{{else}}no{{end}}{{end}}'
image_facts() {
  {
    docker images -q --no-trunc --filter "reference=$(payload_value images)/*" 2>/dev/null
    payload_lines image
  } | sort -u | docker_each image inspect -f "$image_config" 2>/dev/null | sed 's/^/image-config /'
}

network_facts() { list network ls --no-trunc --filter "label=$label" --format 'network {{.ID}} {{.Name}}'; }

runner_active() {
  [ -f "$state/lock" ] || return 1
  ! (flock -n 9) 9>>"$state/lock" 2>/dev/null
}

# wait_for_runner SECONDS: a real `up` plans from what a release in progress will have left.
wait_for_runner() {
  end=$(($(now) + $1 * 100))
  while runner_active && [ "$(now)" -lt $end ]; do rest 0.2; done
}
