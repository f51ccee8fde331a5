# shellcheck shell=sh
# `pulumi destroy`: removes every container and image of the stack, and what the host remembers of it.
# Data volumes stay; it says where they are. What belongs to another state, or is on another machine, is left alone.

teardown() {
  state=$(payload_value state)
  is_ours || return 0
  state_dir || return 1
  label=$(payload_value label)
  exec 9>>"$state/lock"
  if ! lock_within 60; then
    say "a release is at work: $(at_work). Nothing was removed; try again when it is done."
    return 1
  fi
  # What cannot be taken out finds no job any more, and does nothing.
  : | write_crontab
  # All at once, each within its own grace; the wait is in the pipe's own shell, whose children they are.
  docker ps -aq --filter "label=$label" | {
    while read -r found; do docker_within 3700 stop "$found" >/dev/null 2>&1 & done
    wait
  }
  docker ps -aq --filter "label=$label" | xargs -r timeout 600 docker rm -f >/dev/null || return 1
  docker images --format '{{.Repository}}:{{.Tag}}' "$(payload_value images)/*" | xargs -r timeout 600 docker rmi -f >/dev/null
  docker volume ls -q --filter "label=$label" --filter label=deploy.role=proxy | xargs -r timeout 600 docker volume rm >/dev/null || return 1
  # Pulumi leaves them to us, so that nothing of its waits for who is still in one.
  docker network ls -q --filter "label=$label" | xargs -r timeout 600 docker network rm >/dev/null || return 1
  log_line "destroyed: every container and image is removed"
  for entry in "${state:?}"/*; do
    case $entry in */backup) say "kept: the dumps in $entry" ;; *) rm -rf "$entry" ;; esac
  done
  rmdir "$state" 2>/dev/null || :
  docker volume ls --filter "label=$label" --filter label=deploy.role=data --format '{{.Name}}' | while read -r volume; do
    say "kept: the data volume $volume (to delete it for ever: docker volume rm $volume)"
  done
}

# is_ours: else says why nothing is removed. That is no failure: this state has nothing here any more, and must be able
# to forget what it had.
is_ours() {
  if [ -e "$state/owner" ]; then
    [ "$(owner_value lineage)" != "$(payload_value lineage)" ] || return 0
    say "nothing was removed from the host: $state belongs to another state of $(owner_value stack), deployed first by $(owner_value by), $(owner_value since)"
    return 1
  fi
  machine=$(payload_value machine)
  [ -n "$machine" ] && [ "$machine" != "$(machine_id)" ] || return 0
  say "nothing was removed from the host: it is another machine than the one that was deployed to"
  return 1
}
