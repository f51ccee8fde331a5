# shellcheck shell=sh
# `pulumi destroy`: removes every container and image of the stack, and what the host remembers of it.
# Data volumes stay; it says where they are.

teardown() {
  state_dir || return 1
  label=$(payload_value label)
  exec 9>>"$state/lock"
  if ! lock_within 60; then
    say "a release is at work: $(at_work). Nothing was removed; try again when it is done."
    return 1
  fi
  # All at once, each within its own grace; the wait is in the pipe's own shell, whose children they are.
  docker ps -aq --filter "label=$label" | {
    while read -r found; do docker stop "$found" >/dev/null 2>&1 & done
    wait
  }
  docker ps -aq --filter "label=$label" | xargs -r docker rm -f >/dev/null || return 1
  docker images --format '{{.Repository}}:{{.Tag}}' "$(payload_value images)/*" | xargs -r docker rmi -f >/dev/null
  docker volume ls -q --filter "label=$label" --filter label=deploy.role=proxy | xargs -r docker volume rm >/dev/null || return 1
  # Pulumi removes its networks next; one that a killed run left behind is known only by its label.
  docker network ls -q --filter "label=$label" | xargs -r docker network rm >/dev/null || return 1
  for entry in "${state:?}"/*; do
    case $entry in */backup) say "kept: the dumps in $entry" ;; *) rm -rf "$entry" ;; esac
  done
  rmdir "$state" 2>/dev/null || :
  docker volume ls --filter "label=$label" --filter label=deploy.role=data --format '{{.Name}}' | while read -r volume; do
    say "kept: the data volume $volume (to delete it for ever: docker volume rm $volume)"
  done
}
