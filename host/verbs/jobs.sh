# shellcheck shell=sh
# jobs: what cron is to start from here on.

# A job that is not recorded yet is not found by what cron calls, and nothing runs.
do_jobs() {
  mkdir -p "$state/jobs" && small_script | replace_file "$(job_script)" || return 1
  # A volume may be theirs alone.
  for key in $(from_payload '/^object /p' | awk '$4 == "job" { print $2 }'); do
    load_object "$key" && give_volumes || return 1
  done
  payload_lines_whole job | write_crontab
}
undo_jobs() { sed -n '/^job /p' "$state/current" 2>/dev/null | write_crontab; }

# small_script: these scripts, with no more of the plan than who the stack is: what cron calls knows all else from `current`.
small_script() {
  # Cron's own environment is small; the engine is reached as it is now.
  say "export PATH='$PATH'"
  # Another one who deployed before may have the block in a crontab of his own.
  say "jobs_of=$(id -un)"
  [ -z "${DOCKER_HOST:-}" ] || say "export DOCKER_HOST='$DOCKER_HOST'"
  awk '
    $0 == "payload() {" { within = 1 }
    within && /^==end of payload==$/ { within = 0 }
    !within || $0 == "payload() {" || /^cat <</ || /^(state|label|images|log|lineage|wait) / { print }' "$run/script"
}
