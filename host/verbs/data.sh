# shellcheck shell=sh
# migrate, backup, password, record: what a release writes.

# Runs the one-off container to its end. The point of no return for the data: it has no undo.
do_migrate() {
  admit "$1" && load_object "$1" && give_volumes || return 1
  # On the disk before the database commits anything: what is not known to have run is not asked about when going back.
  if ! { say "migrating $1 $(payload_value "migration $1")" >>"$run/steps" && sync "$run/steps"; }; then
    say "cannot note the migration in $run on the host: is its disk full? It was not run"
    return 1
  fi
  (docker_within $((timeout + 60)) start -a "$id") >"$run/migrate" 2>&1 9>&- &
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
# It takes as long as it takes: nothing waits for it.
do_backup() {
  load_object "$1" || return 1
  dump=$state/backup/$(date +%Y%m%d-%H%M%S).dump
  mkdir -p "$state/backup" || return 1
  say "  dumping the database ($(size_of_database "$id"))"
  # A large one takes its time; six hours is a hang.
  if ! docker_within 21600 exec "$id" sh -c 'exec pg_dump -Fc -U "$POSTGRES_USER" -d "$POSTGRES_DB"' >"$dump.new" 2>"$run/backup" ||
    ! docker exec -i "$id" pg_restore -l <"$dump.new" >/dev/null 2>>"$run/backup"; then
    rm -f "$dump.new"
    indent <"$run/backup"
    say "the dump of the database failed: is the host's disk full?"
    return 1
  fi
  mv "$dump.new" "$dump" && say "  dump of the database: $dump"
  # shellcheck disable=SC2012 # our own names, no surprises
  ls -1t "$state/backup" | tail -n +4 | while read -r old; do
    # The new one can look old: the clock may have been set back.
    [ "$state/backup/$old" = "$dump" ] || rm -f "$state/backup/$old"
  done
  # What is written now need not be written while requests wait for the database to stop.
  in_database "$id" checkpoint >/dev/null 2>&1 <<'SQL'
checkpoint;
SQL
  return 0
}
undo_backup() { :; }

# size_of_database ID: for people.
size_of_database() {
  in_database "$1" size <<'SQL' 2>/dev/null | tr -d '\n'
\pset tuples_only on
\pset format unaligned
select pg_size_pretty(pg_database_size(current_database()));
SQL
}

# in_database ID WHAT: SQL from stdin, as the owner, over the socket inside the database's container; no password is
# needed there, and none stands in an argument. WHAT is for whoever reads a process list.
in_database() {
  docker exec -i "$1" \
    sh -c 'exec psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"' "$2"
}

# The data may be older than the password (a volume kept by destroy): the login that the services use gets theirs. A
# new version of the password has a new login, which acts as the owner; the login before it works until the sweep.
# Both are already inside the container; nothing secret passes through here, and PostgreSQL must not log it either.
do_password() {
  load_object "$1" || return 1
  in_database "$id" password >/dev/null <<'SQL'
\set VERBOSITY terse
set client_min_messages = warning;
\set owner `printf '%s' "$POSTGRES_USER"`
\set login `printf '%s' "${DEPLOY_LOGIN:-$POSTGRES_USER}"`
\set password `printf '%s' "$POSTGRES_PASSWORD"`
select set_config(name, value, false) from (values ('log_statement', 'none'), ('log_min_error_statement', 'panic'),
  ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'), ('log_transaction_sample_rate', '0'),
  ('pg_stat_statements.track_utility', 'off')) as quiet (name, value)
  where (select rolsuper from pg_roles where rolname = current_user);
select format('create role %I', :'login') where not exists (select from pg_roles where rolname = :'login') \gexec
select format('grant %I to %I', :'owner', :'login') where :'login' <> :'owner' \gexec
select format('alter role %I set role = %L', :'login', :'owner') where :'login' <> :'owner' \gexec
alter role :"login" login password :'password';
SQL
}
undo_password() { :; }

# revoke KEY: every login but the one of this container's password loses its own: what was rotated away opens nothing
# any more.
revoke() {
  load_object "$1" || return 1
  in_database "$id" revoke >/dev/null <<'SQL'
set client_min_messages = warning;
\set owner `printf '%s' "$POSTGRES_USER"`
\set login `printf '%s' "${DEPLOY_LOGIN:-$POSTGRES_USER}"`
select format('alter role %I password null', :'owner') where :'login' <> :'owner' \gexec
select format('alter role %I nologin password null', rolname),
  format('reassign owned by %1$I to %2$I; drop owned by %1$I; drop role %1$I', rolname, :'owner') from pg_roles
  where rolname ~ ('^' || :'owner' || '_v[0-9]+$') and rolname <> :'login'
  and pg_has_role(oid, :'owner', 'member') \gexec
SQL
}

# The commit: from here on the new release is what serves, and what follows only tidies.
do_record() {
  remember_used
  {
    say "run $run"
    say "number $number"
    payload_lines_whole release epoch lineage
    for key in $(payload_value serves); do object_line "$key"; done
    payload_lines_whole job telling record
  } | replace_file "$state/current" durable || return 1
  tail -n 400 "$state/seen" | replace_file "$state/seen"
  # What is retired does not come back if the machine restarts before it is removed; perhaps it is gone already.
  # shellcheck disable=SC2046 # plain words
  restarts no $(retired_keys) 2>/dev/null
  # shellcheck disable=SC2046 # plain words
  restarts always $(serving_keys)
}
undo_record() { :; }
