# shellcheck shell=sh
# What the checklist before a deploy asks of the host. Changes nothing; what cannot be told is left out.

condition_facts() {
  disk_fact
  say "clock $(date +%s)"
  certificate=$(payload_value certificate)
  if [ -n "$certificate" ]; then
    if encoded=$(base64 <"$certificate" 2>/dev/null); then
      say "certificate $(printf '%s' "$encoded" | tr -d '\n')"
    else
      say "certificate unreadable"
    fi
  fi
  backups=$(payload_value backups)
  # shellcheck disable=SC2012 # only the time of the newest one is wanted
  newest=$(ls -1t "${backups:-$state/backup}" 2>/dev/null | head -n 1)
  if [ -n "$newest" ]; then say "backup $(date -r "${backups:-$state/backup}/$newest" +%s)"; fi
}

# The least of what is free, KiB.
disk_fact() { free_disk | awk 'NR == 1 || $1 < least { least = $1 } END { if (NR) print "disk " least }'; }

# KiB that are free where images and volumes lie, and where the runner writes.
free_disk() {
  for folder in "$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)" "$state" "${state%/*}" /var; do
    if [ -d "$folder" ]; then df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print $4 }'; fi
  done
}

# The database that serves: does it answer its own health command?
database_condition() {
  set -- "$(awk '$1 == "object" && $4 == "database" { print $5, $7; exit }' "$state/current" 2>/dev/null)"
  [ -n "$1" ] || return 0
  if docker_within 15 exec "${1% *}" sh -c "$(unpack "${1#* exec:}")" >/dev/null 2>&1; then
    say "database up"
  else
    say "database down"
  fi
}
