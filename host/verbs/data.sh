# shellcheck shell=sh
# migrate, password, record: what a release writes.

# Runs the one-off container to its end. The point of no return for the data: it has no undo.
do_migrate() {
  load_object "$1" || return 1
  (docker start -a "$id") >"$run/migrate" 2>&1 9>&- &
  attached=$!
  end=$(($(now) + timeout * 100))
  while kill -0 $attached 2>/dev/null; do
    if [ "$(now)" -ge $end ]; then
      docker kill "$id" >/dev/null 2>&1
      wait $attached 2>/dev/null
      tail -n 15 "$run/migrate" | indent
      say "the migration did not end within $timeout s and was stopped"
      return 1
    fi
    rest 0.1
  done
  wait $attached && [ "$(docker inspect -f '{{.State.ExitCode}}' "$id")" = 0 ] && return 0
  tail -n 15 "$run/migrate" | indent
  say "the migration failed (exit code $(docker inspect -f '{{.State.ExitCode}}' "$id"))"
  return 1
}
undo_migrate() {
  load_object "$1" && docker stop -t 2 "$id" >/dev/null 2>&1
  return 0
}

# A dump before the database's container is exchanged, written whole and read back, so that it is one. Three are kept.
do_backup() {
  load_object "$1" || return 1
  dump=$state/backup/$(date +%Y%m%d-%H%M%S).dump
  mkdir -p "$state/backup" || return 1
  if ! docker exec "$id" sh -c 'exec pg_dump -Fc -U "$POSTGRES_USER" -d "$POSTGRES_DB"' >"$dump.new" 2>"$run/backup" ||
    ! docker exec -i "$id" pg_restore -l <"$dump.new" >/dev/null 2>>"$run/backup"; then
    rm -f "$dump.new"
    indent <"$run/backup"
    say "the dump of the database failed: is the host's disk full?"
    return 1
  fi
  mv "$dump.new" "$dump" && say "  dump of the database: $dump"
  # shellcheck disable=SC2012 # our own names, no surprises
  ls -1t "$state/backup" | tail -n +4 | while read -r old; do rm -f "$state/backup/$old"; done
}
undo_backup() { :; }

# The data may be older than the password (a volume kept by destroy): the role gets the one that the services use.
# Both are already inside the container; nothing secret passes through here.
do_password() {
  load_object "$1" || return 1
  docker exec -i "$id" sh -c 'exec psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"' <<'SQL'
\set role `printf '%s' "$POSTGRES_USER"`
\set password `printf '%s' "$POSTGRES_PASSWORD"`
alter role :"role" password :'password';
SQL
}
undo_password() { :; }

# The commit: from here on the new release is what serves, and what follows only tidies.
do_record() {
  {
    say "run $run"
    payload_lines_whole release epoch lineage
    for key in $(payload_value serves); do object_line "$key"; done
    payload_lines_whole record
  } | replace_file "$state/current" durable || return 1
  tail -n 400 "$state/seen" | replace_file "$state/seen"
}
undo_record() { :; }
