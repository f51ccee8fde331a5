# shellcheck shell=sh
# One at a time: the checkouts of one user share the engine and the cache; a box is one machine.

# take_lock FILE WHAT: the lock is descriptor 9 and ends with this process and the last of its children (a build that
# outlives a killed set-up still holds it), so a daemon that is started must close it (9>&-).
take_lock() {
  mkdir -p "${1%/*}"
  has flock || return 0
  exec 9>"$1"
  flock -n 9 && return 0
  say "another $2 is running, waiting for it"
  flock -w 1800 9 || fail "gave up after 30 minutes; who holds the lock is told by: fuser -v $1"
}
