# shellcheck shell=sh
# A job: what cron calls at its time, and a person with `ops jobs`. The container is one that Pulumi has made; a run starts it,
# waits for its end, and keeps what came of it. Below $state/jobs, by a job's name:
#   NAME.runs     a line a run: BEGAN SECONDS OUTCOME CODE (plan/wanted/outcomes.ts), BEGAN in seconds since 1970
#   NAME.output   the last lines that the last run has written
#   NAME.running  when the one that runs began       NAME.lock  held as long as it runs
#   NAME.due      the minute, in its own time zone, for which it ran last

jobs_kept=100
# Seconds that a job waits: for a release at work, and for memory to be free.
job_patience=900
room_patience=60

# run_job NAME [due|now]: `due` is asked more often than it is to run; `now` is a person. Its exit code is the job's.
run_job() {
  name=$1 asked=${2:-}
  state=$(payload_value state)
  folder=$state/jobs
  find_job || return 0
  # Twice in a minute is not at its time: only the crontab of who deployed last counts.
  [ "$asked" = now ] || [ "${jobs_of:-$(id -un)}" = "$(id -un)" ] || return 0
  [ "$asked" != due ] || is_due || return 0
  exec 8>>"$folder/$name.lock"
  flock -n 8 || await_overlap || return 0
  note_cut
  # It would work on data that a migration is changing, and take memory that the release has counted.
  wait_for_runner $job_patience
  # A release may have exchanged it meanwhile.
  find_job || return 0
  load_object "$key" || return 1
  # What started it was killed, and it goes on.
  if says_running "$id"; then
    keep_job "$(date +%s)" 0 skipped 0
    return 0
  fi
  began=$(date +%s)
  since=$(now)
  # Told from its beginning: the lock is not seen by who only looks at files.
  say "$began" >"$folder/$name.running"
  start_job
  seconds=$((($(now) - since) / 100))
  rm -f "$folder/$name.running"
  keep_job "$began" "$seconds" "$outcome" "$code"
  remove_if_old
  [ "$outcome" != "done" ] || return 0
  log_line "the job $name ended with $outcome (code $code) after $seconds s"
  tell_of_job
  [ "$code" != 0 ] || return 1
  return "$code"
}

# find_job: sets zone, overlap, the five fields, and key, by what serves now. None: it is not its job any more.
find_job() {
  line=$(sed -n "s/^job $name //p" "$state/current" 2>/dev/null)
  key=$(awk -v name="$name" '$1 == "object" && $3 == name && $4 == "job" { print $2; exit }' "$state/current" 2>/dev/null)
  [ -n "$line" ] && [ -n "$key" ] || return 1
  read -r zone overlap minute hour day month weekday <<END
$line
END
}

# is_due: in its own time zone. As with cron, where both days are given, either is enough. An hour that comes twice, when
# clocks go back, counts once.
is_due() {
  moment=$(TZ=$zone date '+%M %H %d %m %w %F-%H:%M')
  # shellcheck disable=SC2086 # plain words
  set -- $moment
  fits "$minute" "$1" && fits "$hour" "$2" && fits "$month" "$4" || return 1
  if [ "$day" = '*' ] || [ "$weekday" = '*' ]; then
    fits "$day" "$3" && fits "$weekday" "$5" || return 1
  else
    fits "$day" "$3" || fits "$weekday" "$5" || return 1
  fi
  [ "$(cat "$folder/$name.due" 2>/dev/null)" != "$6" ] || return 1
  say "$6" | replace_file "$folder/$name.due"
}

# fits FIELD NUMBER: 07 is 7, and 0 stays 0.
fits() {
  [ "$1" = '*' ] && return 0
  number=${2#0}
  case ",$1," in *",${number:-0},"*) return 0 ;; *) return 1 ;; esac
}

# The last one is at work still.
await_overlap() {
  if [ "$overlap" = wait ] && load_object "$key" && timeout "$timeout" flock 8; then return 0; fi
  keep_job "$(date +%s)" 0 skipped 0
  return 1
}

# A run that its machine did not let end.
note_cut() {
  [ -s "$folder/$name.running" ] || return 0
  outcome=cut code=0 seconds=0
  keep_job "$(cat "$folder/$name.running")" 0 cut 0
  rm -f "$folder/$name.running"
  log_line "the job $name was broken off: the machine or its Docker was restarted"
  tell_of_job
}

# start_job: sets outcome and code.
start_job() {
  outcome=failed code=0
  if ! await_room; then
    outcome=room
    return
  fi
  if ! docker start "$id" >"$folder/$name.new" 2>&1; then
    replace_file "$folder/$name.output" <"$folder/$name.new"
    rm -f "$folder/$name.new"
    outcome=start
    return
  fi
  end=$((since + timeout * 100))
  while says_running "$id" || ! answers; do
    left=$(((end - $(now)) / 100))
    if [ $left -le 0 ]; then
      docker_within $((grace + 60)) stop -t "$grace" "$id" >/dev/null 2>&1
      outcome=timeout
      break
    fi
    # It ends before its time when the engine is restarted.
    timeout -k 5 "$left" docker wait "$id" >/dev/null 2>&1 8>&- || rest 1
  done
  docker logs --since "$began" --tail 200 "$id" 2>&1 | tail -c 65536 | replace_file "$folder/$name.output"
  # shellcheck disable=SC2046 # four plain words
  set -- $(container_state "$id")
  code=${3:-0}
  if [ "$outcome" = timeout ]; then
    return
  elif [ "${4:-}" = true ]; then
    outcome=memory
  elif [ "$code" = 0 ]; then
    outcome="done"
  fi
}

# Whether the engine is there at all: what it does not say is not known.
answers() { docker_within 10 version >/dev/null 2>&1; }

# As much as its limit must be free; what others give back is waited for.
await_room() {
  need=$(docker inspect -f '{{.HostConfig.Memory}}' "$id" 2>/dev/null)
  room_end=$(($(now) + room_patience * 100))
  while :; do
    memory_now
    [ $((total - used)) -lt $((${need:-0} / 1024)) ] || return 0
    [ "$(now)" -lt $room_end ] || return 1
    rest 2
  done
}

# keep_job BEGAN SECONDS OUTCOME CODE
keep_job() {
  {
    tail -n $((jobs_kept - 1)) "$folder/$name.runs" 2>/dev/null
    say "$*"
  } | replace_file "$folder/$name.runs"
}

# A release that found it at work has left it to us.
remove_if_old() {
  grep -q "^object [^ ]* [^ ]* [^ ]* $id " "$state/current" || docker rm -f "$id" >/dev/null 2>&1
}

# tell_of_job: by the container that holds the token. One at a time.
tell_of_job() {
  messenger=$(awk '$1 == "object" && $4 == "messenger" { print $5; exit }' "$state/current")
  text=$(sed -n "s/^telling $outcome //p" "$state/current")
  [ -n "$messenger" ] && [ -n "$text" ] || return 0
  exec 7>>"$folder/messenger.lock"
  timeout 120 flock 7
  unpack "$text" | sed "s/@JOB/$name/; s/@CODE/$code/; s/@SECONDS/$seconds/" | base64 | tr -d '\n' >"$folder/message"
  say >>"$folder/message"
  told_since=$(date +%s)
  timeout -k 5 120 docker start -a -i "$messenger" <"$folder/message" >/dev/null 2>&1 7>&- 8>&-
  # Its input has ended; the client may be back before the container's end (seen with 20.10).
  if [ "$(timeout -k 5 120 docker wait "$messenger" 2>/dev/null 7>&- 8>&-)" != 0 ]; then
    log_line "nobody was told of the job $name: $(first_line "$(docker logs --since "$told_since" --tail 1 "$messenger" 2>&1)")"
  fi
  rm -f "$folder/message"
  exec 7>&-
}

# now_job NAME: for a person: what it writes is shown as it comes. It goes on when nobody looks any more.
now_job() {
  name=$1
  state=$(payload_value state)
  folder=$state/jobs
  if ! find_job || ! load_object "$key"; then
    say "what serves has no job $name"
    return 64
  fi
  if ! (flock -n 8) 8>>"$folder/$name.lock"; then
    say "it runs already, since $(date -d "@$(cat "$folder/$name.running" 2>/dev/null)" '+%F %T' 2>/dev/null)"
    return 1
  fi
  began=$(date +%s)
  setsid sh "$0" run_job "$name" now </dev/null >/dev/null 2>&1 &
  runner=$!
  until says_running "$id" || ! kill -0 $runner 2>/dev/null; do rest 0.1; done
  docker_within $((timeout + 60)) logs -f --since "$began" "$id" 2>&1
  wait $runner
  code=$?
  # Behind all that it wrote.
  say "ended $(tail -n 1 "$folder/$name.runs")"
  return $code
}

# jobs: what there is, and what came of it; of one (detail NAME) also what it wrote.
jobs() {
  state=$(payload_value state)
  folder=$state/jobs
  say "zone $(date +%z)"
  say "now $(date +%s)"
  sed -n '/^job /p' "$state/current" 2>/dev/null | while read -r word name others; do
    say "$word $name $others"
    sed "s/^/run $name /" "$folder/$name.runs" 2>/dev/null
    [ -s "$folder/$name.running" ] || continue
    if (flock -n 8) 8>>"$folder/$name.lock"; then
      say "run $name $(cat "$folder/$name.running") 0 cut 0"
    else
      say "running $name $(cat "$folder/$name.running")"
    fi
  done
  detail=$(payload_value detail)
  [ -z "$detail" ] || [ ! -f "$folder/$detail.output" ] || say "output $(base64 <"$folder/$detail.output" | tr -d '\n')"
  say "end"
}
