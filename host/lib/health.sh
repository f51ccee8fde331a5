# shellcheck shell=sh
# Is a container ready? Asked every 100 ms, and less often when it takes long, from inside the network, not through Docker's own health status,
# which is as old as its interval.

# Polls URL ($1) until it answers 2xx; 75 when the time ($2, seconds) is over. As a visitor would whom nginx passes on who
# sees the site at ORIGIN ($3), if given: a service that knows its names, or forces https, answers nobody else. At a socket
# of nginx ($4), where there is one. Pauses for $5 seconds. Runs inside the proxy's container.
http_poll='
end=$(($(cut -d. -f1 /proc/uptime) + $2))
url=$1 origin=$3 socket=$4 pause=$5
set --
if [ -n "$origin" ]; then
  scheme=${origin%%://*} host=${origin#*://} port=80
  [ $scheme = http ] || port=443
  case $host in *:*) port=${host##*:} ;; esac
  set -- -H "Host: $host" -H "X-Real-IP: 127.0.0.1" -H "X-Forwarded-For: 127.0.0.1" -H "X-Forwarded-Proto: $scheme" \
    -H "X-Forwarded-Host: $host" -H "X-Forwarded-Port: $port"
fi
while :; do
  if [ -e "$socket" ]; then
    code=$(curl -s -o /dev/null -m 5 -w "%{http_code}" --unix-socket "$socket" "$@" "$url")
  else
    code=$(curl -s -o /dev/null -m 5 -w "%{http_code}" "$@" "$url")
  fi
  case $code in 2??) exit 0 ;; esac
  if [ "$(cut -d. -f1 /proc/uptime)" -ge "$end" ]; then
    case $code in
      000) printf "%s\n" "$url does not answer" ;;
      *) printf "%s\n" "$url answers $code${origin:+ (asked as $origin)}" ;;
    esac
    exit 75
  fi
  sleep "$pause"
done'

# Runs the command ($1, for sh), called $3, until it succeeds; 75 when the time ($2, seconds) is over. Pauses for $5
# seconds. Runs inside the service.
command_poll='
end=$(($(cut -d. -f1 /proc/uptime) + $2))
while :; do
  if out=$(sh -c "$1" 2>&1); then exit 0; fi
  if [ "$(cut -d. -f1 /proc/uptime)" -ge "$end" ]; then
    printf "%s\n" "$3 fails: $out"
    exit 75
  fi
  sleep "$5"
done'

# pause_after HUNDREDTHS: seconds between two questions to one that has not been ready for so long: one that takes long
# should find its own words in its log, and not those about being asked.
pause_after() {
  if [ "$1" -lt 1000 ]; then say 0.1; elif [ "$1" -lt 3000 ]; then say 0.5; else say 1; fi
}

# poll_in CONTAINER SCRIPT WHAT [ORIGIN|NAME] [SOCKET]: polls until the timeout, some seconds at a time: what runs in a container cannot be
# ended from outside, and must not go on for long when the one who asked has given up or was killed. What hangs is not
# waited for: 124, some seconds after the timeout.
poll_in() {
  asked_since=$(now)
  deadline=$((asked_since + timeout * 100))
  unstarted=0
  while :; do
    remaining=$(((deadline - $(now) + 99) / 100))
    turn=$remaining
    [ $turn -le 5 ] || turn=5
    answer=$(docker_within $((remaining + 6)) exec "$1" sh -c "$2" poll "$3" $turn "${4:-}" "${5:-}" "$(pause_after $(($(now) - asked_since)))" 2>&1)
    asked=$?
    # An engine that is busy may fail to start what was asked for; nothing was begun then.
    case $asked in
      126 | 128)
        unstarted=$((unstarted + 1))
        [ $unstarted -gt 3 ] || { rest 0.3 && asked=75; }
        ;;
    esac
    # The proxy that asks may itself be on its way back, as after a restart of the engine.
    case $asked in 0 | 75) ;; *) ! says_running "$1" && rest 0.2 && asked=75 ;; esac
    [ $asked = 75 ] && [ "$(now)" -lt $deadline ] && kill -0 $$ 2>/dev/null && continue
    [ -z "$answer" ] || say "$answer"
    return $asked
  done
}

# poll_health KEY: returns when ready; else fails and says why. Expects load_object to have run.
poll_health() {
  case $health in
    http:*)
      address=${health#http:}
      find_proxy
      poll_in "$proxy" "$http_poll" "http://$1:${address%%:*}${address#*:}" "$origin"
      ;;
    exec:*)
      poll_command "the health command" "$(unpack "${health#exec:}")"
      ;;
    proxy) poll_in "$id" "$http_poll" "http://127.0.0.1:8079/ready" '' "$proxy_doors/ready.sock" ;;
    none)
      load_check
      # Nothing to ask: three seconds without an exit.
      if [ -z "$check" ]; then rest 3 && return; fi
      poll_check "the image's own check"
      ;;
  esac
}

# poll_command NAME COMMAND: for sh.
poll_command() {
  poll_in "$id" "$command_poll" "$2" "$1" && return
  [ "$asked" != 124 ] || say "$1 does not end"
  return "$asked"
}

# load_check: sets check to the check that the image brings itself, a word a line, or to nothing. Of its two forms CMD-SHELL
# is one command for sh, CMD a program and its arguments.
load_check() {
  check=$(docker inspect -f '{{with .Config.Healthcheck}}{{range .Test}}{{println .}}{{end}}{{end}}' "$id" 2>/dev/null)
  case $check in CMD-SHELL* | CMD*) ;; *) check= ;; esac
}

# poll_check NAME: asks what Docker asks, but at once and often.
poll_check() {
  words=${check#*"$newline"}
  if [ "${check%%"$newline"*}" = CMD-SHELL ]; then
    poll_command "$1" "$words"
    return
  fi
  # The other form needs no sh in the image.
  called=$1
  set --
  while IFS= read -r word; do set -- "$@" "$word"; done <<EOF
$words
EOF
  asked_since=$(now)
  until complaint=$(docker_within $((timeout + 6)) exec "$id" "$@" 2>&1); do
    asked=$?
    if [ $asked = 124 ]; then
      say "$called does not end"
    elif [ $(($(now) - asked_since)) -lt $((timeout * 100)) ] && kill -0 $$ 2>/dev/null; then
      rest "$(pause_after $(($(now) - asked_since)))"
      continue
    else
      say "$called fails: $complaint"
    fi
    return "$asked"
  done
}

# healthy_within KEY SECONDS: says nothing. One that cannot be asked is not healthy: there is only Docker's word then.
healthy_within() {
  load_object "$1" && [ "$health" != none ] || return 1
  timeout=$2
  (poll_health "$1") >/dev/null 2>&1
}
says_running() { [ "$(docker inspect -f '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }

container_state() {
  docker inspect -f '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$1" 2>/dev/null
}

# this_moment: for docker events. It cuts "0s" to the whole second, and what has just happened would be missing. A date
# that knows no fractions gives the next second, for which docker events waits.
this_moment() {
  moment=$(date +%s.%N)
  case $moment in
    *[!0-9.]*) say $(($(date +%s) + 1)) ;;
    *) say "$moment" ;;
  esac
}

# events_of ID EVENT ARGUMENTS...: of the last five minutes.
events_of() {
  container=$1 event=$2
  shift 2
  docker events --since 5m --until "$(this_moment)" --filter "container=$container" --filter "event=$event" "$@" 2>/dev/null
}

# killed_for_memory ID: once the engine has started it again, its state does not tell any more; the engine's events do.
killed_for_memory() {
  [ "$(container_state "$1" | cut -d' ' -f4)" != true ] || return 0
  events_of "$1" oom | grep -q .
}

# last_exit ID: the exit code of its last end, however often it has been started since.
last_exit() {
  events_of "$1" die --format '{{.Actor.Attributes.exitCode}}' | tail -n 1
}

# await_healthy KEY [SECONDS]: polls, and watches the container meanwhile, so that a crash is told at once. As long as
# KEY may take to start, or SECONDS if that is less.
await_healthy() {
  load_object "$1" || return 1
  [ "${2:-$timeout}" -ge "$timeout" ] || timeout=$2
  restarts=$(container_state "$id" | cut -d' ' -f2)
  answer=${run:-$state}/health.$$
  (poll_health "$1") >"$answer" 2>&1 9>&- &
  poller=$!
  while kill -0 $poller 2>/dev/null; do
    # shellcheck disable=SC2046 # four plain words
    set -- "$1" $(container_state "$id")
    if [ "${2:-gone}" != running ] || [ "${3:-0}" -gt "${restarts:-0}" ]; then
      kill $poller 2>/dev/null
      wait $poller 2>/dev/null
      rm -f "$answer"
      if [ "${5:-}" = true ] || killed_for_memory "$id"; then
        say "$1 was killed: it needs more memory than its limit"
      else
        # One that the engine has started again does not tell any more how it ended.
        [ "${2:-}" != running ] || set -- "$1" restarting "$3" "$(last_exit "$id")"
        say "$1 stopped by itself (${2:-gone}, exit code ${4:-?})"
      fi
      return 1
    fi
    rest 0.1
  done
  if wait $poller; then
    rm -f "$answer"
    return 0
  fi
  say "$1 did not become healthy within $timeout s: $(tail -n 1 "$answer")"
  rm -f "$answer"
  return 1
}

# Until the engine answers, or patience, a moment as now tells it, is over: what follows an engine that is being restarted
# must not fail for that.
await_engine() {
  until docker_within 10 version >/dev/null 2>&1; do
    [ "$(now)" -lt "$patience" ] || return 0
    rest 1
  done
}
