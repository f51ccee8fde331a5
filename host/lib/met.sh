# shellcheck shell=sh
# What visitors met while a release ran, in $run/met, a word and its values a line; the ledger takes it over:
#   visitors N             requests that ended between the release's first verb and its last
#   failed N               of these, answered by nobody: nginx's own 5xx, or an answer that broke off
#   errors N               of these, 5xx that services answered themselves
#   held N SECONDS         of these, how many waited while their service was exchanged, and how long at most
#   met-before N ERRORS P50 P99, met-during N P50 P99, met-after N P50 P99
#                          the half minute before it; until the route; from then on. Milliseconds.
#   probed N FAILED GAP    our own requests, and the longest time without an answer to them, in seconds
#   memory MOST TOTAL      of the host, MiB
# Visitors' requests are read from nginx's own record of them (plan/site/accessLog.ts), once, at the end. Nothing here ever fails
# a release; only its budget may (host/verbs/budget.sh).

# Lines of the log that are looked at, at most: 300 requests a second for a minute.
met_most=20000
# Seconds before the release.
met_before=30

# met_begin: from here on. Two helpers are at work until met_end, or until the runner is gone.
met_begin() {
  met_began=$(now)
  met_at=$(this_moment)
  met_routed=
  find_proxy
  met_proxy=$proxy
  : >"$run/meeting" || return 0
  # Subshells, not functions: sh keeps a copy of what it closes for a function, and the lock would not be free at the end.
  (watch_memory) 9>&- >/dev/null 2>&1 &
  (probe) 9>&- 2>/dev/null >"$run/probed" &
}

is_met() { [ -e "$run/meeting" ] && kill -0 $$ 2>/dev/null; }

# The most that the host had in use.
watch_memory() {
  most=0
  while is_met; do
    memory_now
    if [ "$used" -gt "$most" ]; then
      most=$used
      say "memory $((most / 1024)) $((total / 1024))" | replace_file "$run/met.memory"
    fi
    rest 0.5
  done
}

# probe: asks as visitors do, through nginx, so many times a second, each time when the one before is answered. A line an
# answer: hundredths of a second since boot, status. curl itself paces; it is started anew every five seconds, so that none is
# left behind. What follows # is not sent: it only has curl ask again.
probe() {
  # shellcheck disable=SC2046 # three plain words
  set -- $(payload_value probe)
  [ $# = 3 ] || return 0
  while is_met; do
    find_proxy
    started=$(now)
    if [ "$proxy_runs" = yes ]; then
      docker exec "$proxy" curl -s -m 60 --rate "$1/s" -o /dev/null -w '%{stderr}%{http_code}\n' -H "Host: $2" \
        --unix-socket "$proxy_doors/live.sock" "http://localhost$3#[1-$(($1 * 5))]" 2>&1 | while read -r status; do
        say "$(now) $status"
      done
    fi
    # A curl that cannot pace (before 7.84), or no nginx.
    [ $(($(now) - started)) -gt 50 ] || rest 0.5
  done
}

# met_route: requests go to the new release from here on.
met_route() { met_routed=$(this_moment); }

# met_keep: what the nginx that is about to go has written down.
met_keep() {
  find_proxy
  [ "$proxy" = "$met_proxy" ] || visited "$met_proxy" >"$run/visited"
}

visited() {
  docker logs --tail $met_most --since "$((${met_at%.*} - met_before))" "$1" 2>/dev/null | grep '^{"at":'
}

# met_end: writes it all down, once; nobody measures any more.
met_end() {
  [ -e "$run/meeting" ] || return 0
  rm -f "$run/meeting"
  met_count
  rm -f "$run/visited" "$run/probed" "$run/met.memory"
}

# met_count: what was met until now, in $run/met.
met_count() {
  find_proxy
  {
    {
      cat "$run/visited" 2>/dev/null
      visited "$proxy"
    } | count_visited "$(broken_off)"
    count_probed <"$run/probed"
    cat "$run/met.memory"
  } 2>/dev/null | replace_file "$run/met"
}

# Answers that a service began and did not end: nginx complains of each.
broken_off() {
  docker logs --tail $met_most --since "$met_at" "$proxy" 2>&1 >/dev/null |
    grep -c 'prematurely closed connection while reading upstream'
}

# count_visited BROKEN: the lines of the access log come on stdin, their first fields in a fixed order. A 502 or 504 is nginx's
# own word for a service that broke off or was silent, whatever $upstream_status says.
count_visited() {
  awk -F '[:,]' -v began="$met_at" -v routed="${met_routed:-9999999999}" -v broken="${1:-0}" '
    function quantile(when, share,  want, ms, sum) {
      want = n[when] * share
      for (ms = 0; ms <= longest[when]; ms++) if ((sum += times[when, ms]) >= want) return ms
      return longest[when] + 0
    }
    {
      at = $2; ms = int($4 * 1000 + 0.5); status = $6; held = $8; upstream = $10
      gsub(/"/, "", upstream)
      when = at < began ? "before" : at < routed ? "during" : "after"
      n[when]++
      times[when, ms]++
      if (ms > longest[when]) longest[when] = ms
      if (status >= 500) {
        if (when == "before") errors_before++
        else if (status == upstream && status != 502 && status != 504) errors++
        else failed++
      }
      if (held > 0 && when != "before") { waited++; if (held > most) most = held }
    }
    END {
      printf "visitors %d\nfailed %d\nerrors %d\nheld %d %.2f\n", n["during"] + n["after"], failed + broken, errors, waited, most
      printf "met-before %d %d %d %d\n", n["before"], errors_before, quantile("before", 0.5), quantile("before", 0.99)
      printf "met-during %d %d %d\n", n["during"], quantile("during", 0.5), quantile("during", 0.99)
      printf "met-after %d %d %d\n", n["after"], quantile("after", 0.5), quantile("after", 0.99)
    }'
}

# count_probed: TIME STATUS a line; the end of the release is the last moment without an answer.
count_probed() {
  awk -v began="$met_began" -v ended="$(now)" '
    { asked++; if ($2 ~ /^[1-4]/) { gap($1) } else failed++ }
    function gap(at) { if (answered && at - last > most) most = at - last; last = at; answered = 1 }
    END {
      if (answered) gap(ended)
      if (asked) printf "probed %d %d %.2f\n", asked, failed, most / 100
    }'
}

# met_value WORD [N]: the N-th of its values.
met_value() { awk -v word="$1" -v n="${2:-1}" '$1 == word { print $(n + 1); exit }' "$run/met" 2>/dev/null; }

# met_in_words: a line for whoever watches, read again by plan/found/met.ts.
met_in_words() {
  [ -s "$run/met" ] || return 0
  say "visitors: $(met_value visitors) requests, $(met_value failed) failed, $(met_value held) waited$(
    [ "$(met_value held)" = 0 ] || printf ' for at most %s s' "$(met_value held 2)"
  )$(
    gap=$(met_value probed 3)
    [ -z "$gap" ] || printf '; longest gap %s s' "$gap"
  )$(
    [ -z "$(met_value memory)" ] || printf '; memory at most %s of %s MiB' "$(met_value memory)" "$(met_value memory 2)"
  )"
}
