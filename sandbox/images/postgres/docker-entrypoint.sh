#!/bin/bash
# Starts PostgreSQL as the official image does; an empty data folder is initialised first.
# Honoured: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD
# (each of the first four also as NAME_FILE), PGDATA, and the files of /docker-entrypoint-initdb.d.
set -euo pipefail

# from_file NAME DEFAULT: takes a variable's value from the file that NAME_FILE names, else the default.
from_file() {
  local file_variable="${1}_FILE"
  if [ -n "${!1-}" ] && [ -n "${!file_variable-}" ]; then
    echo "error: both $1 and $file_variable are set" >&2
    exit 1
  fi
  local value=${!1-${2-}}
  if [ -n "${!file_variable-}" ]; then value=$(<"${!file_variable}"); fi
  export "$1=$value"
  unset "$file_variable"
}

read_environment() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

require_password() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    cat >&2 <<'END'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.
END
    exit 1
  fi
}

create_folders() {
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  fi
}

# init_database [ARGUMENT OF THE SERVER...]
init_database() {
  # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of arguments
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

run_sql() {
  PGHOST='' PGPASSWORD="$POSTGRES_PASSWORD" psql -v ON_ERROR_STOP=1 --no-psqlrc \
    --username "$POSTGRES_USER" --no-password "$@"
}

create_database() {
  if [ "$POSTGRES_DB" = postgres ]; then return; fi
  run_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        # shellcheck source=/dev/null # the user's own file
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) run_sql --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | run_sql --dbname "$POSTGRES_DB" ;;
    esac
  done
}

# During initialisation the server listens on its unix socket only: nobody takes it for ready over TCP.
initialise() {
  require_password
  init_database "${@:2}"
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start \
    -o "$(printf '%q ' "${@:2}" -c listen_addresses='' -p "${PGPORT:-5432}")"
  create_database
  run_init_files
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi

if [ "$1" = postgres ]; then
  read_environment
  create_folders
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "${BASH_SOURCE[0]}" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then initialise "$@"; fi
fi
exec "$@"
