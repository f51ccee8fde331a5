# shellcheck shell=sh
# site, hold, stage, route, drain, smoke: what the proxy does. $2 names a text of the plan.
# The undo of each puts back the file that was there before this very verb (kept as undo.N.NAME in the run).

# keep_for_undo STEP NAME: whole or not at all; a half copy would be put back after a crash.
keep_for_undo() {
  [ -f "$state/proxy/$2" ] || return 0
  cp "$state/proxy/$2" "$run/undo.new" && mv "$run/undo.new" "$run/undo.$1.$2"
}

do_site() {
  find_proxy
  keep_for_undo "$step" nginx.conf && keep_for_undo "$step" routes.js || return 1
  rm -f "$run/routes.js" "$run/nginx.conf"
  plan_text routes.js >"$run/routes.js" && proxy_put routes.js "$run/routes.js" || return 1
  [ -f "$state/proxy/routes.json" ] || printf '{"live":{},"candidate":{}}\n' >"$state/proxy/routes.json"
  install_routes "$state/proxy/routes.json" || return 1
  plan_text "$1" >"$run/nginx.conf" && install_site "$run/nginx.conf"
}
undo_site() {
  [ -f "$run/undo.$step.nginx.conf" ] || return 0
  find_proxy
  if [ -f "$run/undo.$step.routes.js" ]; then proxy_put routes.js "$run/undo.$step.routes.js" || return 1; fi
  install_site "$run/undo.$step.nginx.conf"
}

# A hold ends by itself two minutes after `since`; by then the release has gone on or its runner is dead. The proxy's
# own time since boot, because a clock may be set, and another machine's boot is another one's.
hold_begins() { docker exec "$proxy" cut -d. -f1 /proc/uptime; }

change_routes() {
  find_proxy
  keep_for_undo "$step" routes.json || return 1
  since=0
  case $(plan_text "$1") in *'"since":0'*) since=$(hold_begins) || return 1 ;; esac
  rm -f "$run/routes.json"
  plan_text "$1" | sed "s/\"since\":0/\"since\":$since/" >"$run/routes.json" && install_routes "$run/routes.json"
}
restore_routes() {
  before=$run/undo.$step.routes.json
  [ -f "$before" ] || return 0
  find_proxy
  # Who waited then waits again, and for their full time: by its own one that hold is over since long.
  rm -f "$run/restored.$step"
  if grep -q '"since":[1-9]' "$before" && since=$(hold_begins) &&
    sed "s/\"since\":[0-9]*/\"since\":$since/" "$before" >"$run/restored.$step"; then
    before=$run/restored.$step
  fi
  install_routes "$before"
}

do_hold() { change_routes "$1"; }
undo_hold() { restore_routes; }
do_stage() { change_routes "$1"; }
undo_stage() { restore_routes; }
do_route() { change_routes "$1"; }
undo_route() { restore_routes; }

# drain KEY [SECONDS]: waits until the proxy has no request open to KEY, at most its grace, or SECONDS if that is less.
do_drain() {
  load_object "$1" || return 1
  fate="get its SIGTERM"
  if [ $# -gt 1 ]; then
    fate="lose the database"
    [ "$2" -ge "$grace" ] || grace=$2
  fi
  case $health in http:*) ;; *) return 0 ;; esac
  address=${health#http:}
  find_proxy
  end=$(($(now) + grace * 100))
  while [ "$(connections_to "$id" "${address%%:*}")" -gt 0 ]; do
    if [ "$(now)" -ge $end ]; then
      say "  $1 still has requests open after $grace s: they $fate"
      return 0
    fi
    rest 0.1
  done
}
# With SECONDS the database was taken from under KEY, and has come back by now: requests wait until KEY has found it.
undo_drain() { [ $# -lt 2 ] || do_rejoin "$1"; }

# One request: host ($1), at which door ($2), path ($3), wanted status ($4), wanted text ($5). Runs inside the proxy's
# container.
smoke_request='
say_body() { head -c 300 "$body" | tr -d "\r" | head -n 3 | while IFS= read -r line || [ -n "$line" ]; do printf "    | %s\n" "$line"; done; }
body=$(mktemp) || exit 1
code=$(curl -s -m 10 -o "$body" -w "%{http_code}" -H "Host: $1" -H "X-Forwarded-For: 127.0.0.1" --unix-socket "$2" "http://localhost$3")
if [ "$code" != "$4" ]; then
  printf "%s\n" "GET $3 answers $code, wanted $4"
  say_body
  rm -f "$body"
  exit 1
fi
if [ -n "$5" ] && ! grep -qF -e "$5" "$body"; then
  printf "%s\n" "GET $3 answers $code, but its text does not contain: $5"
  say_body
  rm -f "$body"
  exit 1
fi
rm -f "$body"'

# smoke candidate|live: every request of the plan, through nginx, with the site's host name.
# Each at a door (plan/wanted/doors.ts) that only this container sees, so that no visitor meets an untried release.
do_smoke() {
  door=$proxy_doors/$1.sock
  find_proxy
  payload_lines smoke | while read -r host path status text; do
    docker exec "$proxy" sh -c "$smoke_request" smoke "$host" "$door" "$path" "$status" "$(unpack "$text")" ||
      exit 1
  done && return
  for key in $(payload_lines "do" | sed -n 's/^start //p'); do
    load_object "$key" && [ "$role" = service ] && last_lines "$key" "$id"
  done
  return 1
}
undo_smoke() { :; }
